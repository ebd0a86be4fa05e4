//! `cargo bench --bench deliveries`: how many webhooks a second leave, and how long one takes from the commit to its
//! receiver, on SQLite and on PostgreSQL.
//!
//! Throughput: events that are there are replayed to one endpoint, and to fifty. Delay: events happen at a steady pace
//! and go to fifty endpoints, of which one hangs, one is slow, one answers with megabytes and one redirects; what counts
//! is how soon they come to the other 46. The receivers are in the bench's own process, on the same cores. The tables go
//! into `docs/benchmarks.md`.
//!
//! `ROUNDS` and `EVENTS` in the environment make a run shorter.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on says so by panicking"
)]

#[allow(dead_code, unreachable_pub, reason = "the tests share it")]
#[path = "../../tests/it/support/crowd.rs"]
mod crowd;
#[expect(unreachable_pub, dead_code, reason = "the tests share it")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "every bench needs its part")]
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crowd::Crowd;
use serde_json::json;
use support::stage::Stage;
use support::{milliseconds, number, page, spread};

/// How many events happen a second when the delay is measured.
const PACE: u32 = 50;
/// How many endpoints are well when some are not.
const WELL: usize = 46;

fn main() {
    let (rounds, events) = (number("ROUNDS", 3), number("EVENTS", 1000));
    let mut text = format!(
        "{}; {rounds} rounds, {events} events.\n\n\
         | database | endpoints | webhooks/s | lowest – highest | MB |\n|---|---|---|---|---|\n",
        page::machine()
    );
    let mut delays = format!(
        "\n| database | events/s | webhooks/s to the {WELL} that are well | median ms | 99 % ms | worst ms |\n\
         |---|---|---|---|---|---|\n"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let cluster = postgres::Cluster::start(&[]);
    for (database, url) in [
        ("SQLite", file("deliveries.db")),
        ("PostgreSQL", cluster.url("postgres")),
    ] {
        let mut stage = Stage::set(&url);
        stage.fill();
        happen(&stage, events.saturating_sub(1000), Duration::ZERO);
        for endpoints in [1, 50] {
            text.push_str(&throughput(&stage, database, endpoints, rounds));
        }
        delays.push_str(&delay(&stage, database, events));
    }
    text.push_str(&delays);
    page::write("deliveries", &text);
}

/// Signups, and when each was answered.
fn happen(stage: &Stage, count: u64, pause: Duration) -> Vec<Instant> {
    let signup = json!({
        "impression_id": stage.impressions[0], "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
    });
    let began = Instant::now();
    let mut due = began;
    let mut happened = Vec::new();
    for _ in 0..count {
        sleep(due.saturating_duration_since(Instant::now()));
        due += pause;
        stage.make("referrals", std::slice::from_ref(&signup));
        happened.push(Instant::now());
    }
    happened
}

fn endpoints(stage: &Stage, crowd: &Crowd, paths: &[String]) -> Vec<String> {
    let bodies = paths.iter().map(|path| json!({ "url": crowd.url(path) }));
    let made = stage.make("webhook-endpoints", &bodies.collect::<Vec<_>>());
    made.iter().map(support::stage::Made::id).collect()
}

fn all_there(crowd: &Crowd, paths: &[String], events: usize) {
    let began = Instant::now();
    while paths.iter().any(|path| crowd.count(path) < events) {
        assert!(began.elapsed().as_secs() < 120, "webhooks do not arrive");
        sleep(Duration::from_millis(5));
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn throughput(stage: &Stage, database: &str, count: usize, rounds: u64) -> String {
    let mut megabytes = 0;
    let turns = (0..rounds).map(|_| {
        let crowd = Crowd::start();
        let paths: Vec<String> = (0..count).map(|n| format!("/well/{n}")).collect();
        let ids = endpoints(stage, &crowd, &paths);
        let events = usize::try_from(stage.count("events")).expect("a number");
        let began = Instant::now();
        for id in &ids {
            let from = json!({ "from": "2020-01-01T00:00:00Z" });
            stage.make(&format!("webhook-endpoints/{id}:replay"), &[from]);
        }
        all_there(&crowd, &paths, events);
        megabytes = megabytes.max(stage.resident_megabytes());
        let per_second = (events * count) as f64 / began.elapsed().as_secs_f64();
        forget(stage, &ids);
        per_second
    });
    let (lowest, median, highest) = spread(turns);
    let line = format!(
        "| {database} | {count} | **{median:.0}** | {lowest:.0} – {highest:.0} | {megabytes} |"
    );
    page::say(&line);
    format!("{line}\n")
}

fn delay(stage: &Stage, database: &str, events: u64) -> String {
    let crowd = Crowd::start();
    let odd = ["/hanging", "/slow", "/huge", "/elsewhere"].map(str::to_owned);
    let well: Vec<String> = (0..WELL).map(|n| format!("/well/{n}")).collect();
    endpoints(stage, &crowd, &[odd.to_vec(), well.clone()].concat());
    let happened = happen(stage, events, Duration::from_secs(1) / PACE);
    let took = happened[happened.len() - 1] - happened[0];
    all_there(&crowd, &well, happened.len());
    let mut delays = Vec::new();
    for path in &well {
        let arrived = crowd.arrived(path).into_iter().zip(&happened);
        // What came before its signup was answered came at once.
        delays.extend(arrived.map(|((_, came), was)| came.saturating_duration_since(*was)));
    }
    delays.sort();
    let at = |share: usize| milliseconds(delays[(delays.len() - 1) * share / 100]);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_second = events as f64 / took.as_secs_f64();
    let mut line = String::new();
    let _ = write!(
        line,
        "| {database} | {per_second:.0} | {:.0} | **{:.0}** | {:.0} | {:.0} |",
        per_second * 46.0,
        at(50),
        at(99),
        at(100)
    );
    page::say(&line);
    format!("{line}\n")
}

fn forget(stage: &Stage, ids: &[String]) {
    for id in ids {
        stage.remove(&format!("webhook-endpoints/{id}"));
    }
}
