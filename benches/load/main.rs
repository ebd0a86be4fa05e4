//! `cargo bench --bench load`: handbill's hot paths beside a bare actix server, on SQLite and on PostgreSQL.
//!
//! Starts everything itself (both servers, a PostgreSQL cluster), drives them with `wrk` in turns, so that what
//! else the machine does meets both, counts the stored rows after each path, and writes the table into
//! `docs/benchmarks.md`. `wrk` must be installed. Ratios mean something; requests per second are this machine's.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on says so by panicking"
)]

mod hello;
#[expect(unreachable_pub, reason = "the tests share it")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;
mod report;
mod stage;
mod wrk;

use report::Row;
use stage::Stage;

/// Turns per path; the median of their ratios counts.
const ROUNDS: usize = 4;

fn main() {
    if let Some(port) = std::env::args()
        .skip_while(|argument| argument != "hello")
        .nth(1)
    {
        return hello::serve(port.parse().expect("a port"));
    }
    let hello = hello::Server::start();
    let mut rows = Vec::new();
    for database in ["SQLite", "PostgreSQL"] {
        let stage = Stage::set(database);
        for path in stage.paths() {
            let mut turns = Vec::new();
            for round in 0..ROUNDS {
                let bare = wrk::drive(&hello.url, None);
                let ours = wrk::drive(&stage.url, Some(&path.script(round)));
                turns.push((bare, ours));
            }
            stage.check_stored(&path, &turns);
            rows.push(Row::new(
                database,
                &path,
                &turns,
                stage.resident_megabytes(),
            ));
            report::say(rows.last().expect("a row"));
        }
    }
    report::write(&rows);
}
