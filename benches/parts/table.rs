//! What criterion has measured, as a table.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::page;

/// The parts, in the order of the table.
const PARTS: [&str; 12] = [
    "make an id",
    "hash an API key",
    "count a request for the metrics",
    "count a request while another thread does",
    "write a referral as JSON",
    "write a page of 50 as JSON",
    "load a page of 50 of 10,000 referrals",
    "load a page of 50 of 1,000,000 referrals",
    "a write alone",
    "64 writes at once",
    "64 purchases and their commissions",
    "collect 100,000 earnings of 1,000 ambassadors",
];

/// Where criterion keeps its figures, from run to run.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion")
}

/// A run of some parts only (`-- NAME`) leaves the table alone: its other lines would be of another commit.
pub(crate) fn write() {
    if std::env::args()
        .skip(1)
        .any(|argument| argument != "--bench")
    {
        return;
    }
    let mut text = format!(
        "{}.\n\n| part | µs | 95 % between |\n|---|---|---|\n",
        page::machine()
    );
    for part in PARTS {
        // Criterion names its folders after the parts as they are.
        let file = folder().join(part).join("new/estimates.json");
        let estimates = fs::read(&file).expect("criterion's figures");
        let estimates: Value = serde_json::from_slice(&estimates).expect("criterion's figures");
        let median = &estimates["median"];
        let micros = |value: &Value| value.as_f64().expect("a number") / 1000.0;
        let interval = &median["confidence_interval"];
        let _ = writeln!(
            text,
            "| {part} | **{:.2}** | {:.2} – {:.2} |",
            micros(&median["point_estimate"]),
            micros(&interval["lower_bound"]),
            micros(&interval["upper_bound"])
        );
    }
    page::write("parts", &text);
}
