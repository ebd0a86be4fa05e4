//! `cargo bench --bench load`: handbill's hot paths beside a bare actix server, on SQLite and on PostgreSQL.
//!
//! Starts everything itself (both servers, a PostgreSQL cluster with PostgreSQL's own settings). Throughput: `wrk`
//! drives both in turns, with two threads and with one, so that what else the machine does meets both, and the stored
//! rows are counted after each path. Latency: an open loop at half of the throughput that was reached, in turns as well.
//! Start: five times, on the database that the load has left. The tables go into `docs/benchmarks.md`. Ratios mean
//! something; all else is this machine's.
//!
//! `ROUNDS` and `SECONDS` in the environment make a run shorter.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on says so by panicking"
)]

mod hello;
mod open;
#[expect(unreachable_pub, dead_code, reason = "the tests share it")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;
mod report;
#[allow(dead_code, reason = "every bench needs its part")]
#[path = "../support/mod.rs"]
mod support;

use open::Latency;
use report::{Report, Row};
use support::number;
use support::paths::{self, Path};
use support::stage::Stage;
use support::{page, wrk};

/// How many requests are under way at once.
const CONNECTIONS: u64 = 64;

struct Sizes {
    rounds: u64,
    seconds: u64,
}

fn main() {
    if let Some(port) = std::env::args()
        .skip_while(|argument| argument != "hello")
        .nth(1)
    {
        return hello::serve(port.parse().expect("a port"));
    }
    let sizes = Sizes {
        rounds: number("ROUNDS", 4),
        seconds: number("SECONDS", 4),
    };
    let hello = hello::Server::start();
    let mut report = Report::new(&sizes);
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!("sqlite://{}", folder.path().join("load.db").display());
    on_stage("SQLite", &file, &hello, &sizes, &mut report);
    let cluster = postgres::Cluster::start(&[]);
    let url = cluster.url("postgres");
    report.durability(&url);
    on_stage("PostgreSQL", &url, &hello, &sizes, &mut report);
    page::write("load", &report.text());
}

fn on_stage(
    database: &'static str,
    url: &str,
    hello: &hello::Server,
    sizes: &Sizes,
    report: &mut Report,
) {
    let mut stage = Stage::set(url);
    stage.fill();
    for path in paths::of(&stage) {
        let row = measure(&stage, &path, hello, sizes);
        report.row(database, &row);
    }
    let (times, megabytes) = stage.cold_start();
    report.start(database, times, megabytes, &stage);
}

fn measure(stage: &Stage, path: &Path, hello: &hello::Server, sizes: &Sizes) -> Row {
    let before = path.fills.map(|table| stage.count(table));
    let (mut turns, mut of_one_thread, mut megabytes) = (Vec::new(), Vec::new(), 0);
    let mut turn = |threads, round| {
        let bare = wrk::of(threads, CONNECTIONS, hello.port, "", sizes.seconds, || ());
        let script = path.script(&format!("round{round}of{threads}"));
        let midway = || megabytes = megabytes.max(stage.resident_megabytes());
        let ours = wrk::of(
            threads,
            CONNECTIONS,
            stage.port,
            &script,
            sizes.seconds,
            midway,
        );
        (bare, ours)
    };
    for round in 0..sizes.rounds {
        turns.push(turn(2, round));
        of_one_thread.push(turn(1, round));
    }
    let (_, reached, _) = support::spread(turns.iter().map(|(_, ours)| ours.per_second));
    let waits = wait(stage, path, hello, sizes, reached / 2.0);

    let all = || turns.iter().chain(&of_one_thread);
    let failures = all().map(|(_, ours)| ours.failures);
    let failures = failures.chain(waits.iter().map(|(_, ours)| ours.failures));
    let name = path.name;
    assert_eq!(
        failures.sum::<u64>(),
        0,
        "{name}: every request is answered well"
    );
    // What was answered must be stored. Requests that were under way when a turn ended may be stored too.
    let answered = all().map(|(_, ours)| ours.requests);
    let answered = answered.chain(waits.iter().map(|(_, ours)| ours.requests));
    let answered: u64 = answered.sum();
    if let (Some(table), Some(before)) = (path.fills, before) {
        let stored = stage.count(table) - before;
        assert!(
            stored >= answered,
            "{name}: {answered} answered, {stored} stored"
        );
    }
    Row::new(name, &turns, &of_one_thread, &waits, megabytes)
}

/// How long a request waits for its answer at a fixed rate: the bare server's and ours, in turns.
fn wait(
    stage: &Stage,
    path: &Path,
    hello: &hello::Server,
    sizes: &Sizes,
    rate: f64,
) -> Vec<(Latency, Latency)> {
    let root = paths::Ready::Whole(vec![support::http::request(hello.port, "", "/", None)]);
    let turn = |round| {
        let bare = open::drive(hello.port, &root, rate, sizes.seconds);
        let requests = path.requests(&format!("open{round}"));
        (
            bare,
            open::drive(stage.port, &requests, rate, sizes.seconds),
        )
    };
    (0..sizes.rounds).map(turn).collect()
}
