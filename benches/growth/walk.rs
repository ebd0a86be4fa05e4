//! The export loop as the documents publish it: pages of a hundred by offset, until one is short.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::http::{Connection, request};
use crate::support::page::say;
use crate::support::stage::Stage;
use crate::support::{milliseconds, spread};

/// Pages whose median is taken at either end.
const ENDS: usize = 100;
const LIMIT: usize = 100;

pub(crate) struct Walk {
    pub(crate) pages: usize,
    pub(crate) rows: usize,
    /// Median milliseconds of a page.
    pub(crate) first: f64,
    pub(crate) last: f64,
    pub(crate) whole: Duration,
}

/// Walks to the end of the program and checks that every referral came exactly once.
pub(crate) fn walk(stage: &Stage) -> Walk {
    let mut connection = Connection::open(stage.port).expect("a connection");
    let (mut seen, mut times) = (HashSet::new(), Vec::new());
    let mut offset = 0;
    loop {
        let target = format!(
            "/api/v1/referrals?programId={}&limit={LIMIT}&offset={offset}",
            stage.program
        );
        let request = request(stage.port, &stage.key, &target, None);
        let begun = Instant::now();
        let answer = connection.exchange(request.as_bytes()).expect("a page");
        times.push(begun.elapsed());
        assert_eq!(answer.status, 200, "the page at {offset}");
        let page: Value = serde_json::from_slice(&answer.body).expect("a page");
        let page = page["referrals"].as_array().expect("referrals");
        for referral in page {
            let id = referral["id"].as_str().expect("an id");
            assert!(seen.insert(id.to_owned()), "{id} came twice");
        }
        if page.len() < LIMIT {
            break;
        }
        offset += LIMIT;
        if offset.is_multiple_of(100_000) {
            say(&format!("{offset} referrals walked"));
        }
    }
    let stored = usize::try_from(stage.count("referrals")).expect("a count");
    assert_eq!(seen.len(), stored, "every referral came once");
    let median = |times: &[Duration]| spread(times.iter().copied().map(milliseconds)).1;
    // The short page at the end is none of the last.
    let full = &times[..times.len() - 1];
    let ends = ENDS.min(full.len());
    Walk {
        pages: times.len(),
        rows: seen.len(),
        first: median(&full[..ends]),
        last: median(&full[full.len() - ends..]),
        whole: times.iter().sum(),
    }
}
