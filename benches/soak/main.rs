//! `cargo bench --bench soak`: what memory does while a server has more to do than it can, for minutes, on SQLite and on
//! PostgreSQL.
//!
//! First 64 connections find out how much the server can do. Then two thousand ask for as much as they can (signups with
//! keys of their own, lists and scans in turn, all with one API key), and two hundred others open a new connection for
//! every request. Every five seconds the server's memory is looked at. The table goes into `docs/benchmarks.md`.
//!
//! `SECONDS` in the environment makes a run shorter. It fills disks: some gigabytes in five minutes.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on says so by panicking"
)]

#[expect(unreachable_pub, dead_code, reason = "the tests share it")]
#[path = "../../tests/it/support/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "every bench needs its part")]
#[path = "../support/mod.rs"]
mod support;

use std::thread;
use std::time::{Duration, Instant};

use support::stage::Stage;
use support::wrk::{self, Turn};
use support::{number, page};

/// Connections that are kept, and connections that are made anew for each request.
const KEPT: u64 = 2_000;
const ANEW: u64 = 200;
/// How often memory is looked at, in seconds.
const LOOK: u64 = 5;

fn main() {
    let seconds = number("SECONDS", 300).max(LOOK);
    let mut text = format!(
        "{}; {seconds} seconds each, {KEPT} connections that are kept and {ANEW} at a time that are made for one request.\n\n\
         | database | can do /s | was asked /s | refused /s | MB after {LOOK} s | a quarter | half | three quarters | at the end | highest | {} s later |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
        page::machine(),
        2 * LOOK,
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!("sqlite://{}", folder.path().join("soak.db").display());
    let cluster = postgres::Cluster::start(&[]);
    for (database, url) in [("SQLite", file), ("PostgreSQL", cluster.url("postgres"))] {
        let mut stage = Stage::set(&url);
        stage.fill();
        text.push_str(&soak(&stage, database, seconds));
    }
    page::write("soak", &text);
}

fn soak(stage: &Stage, database: &str, seconds: u64) -> String {
    let can = wrk::drive(stage.port, &mix(stage, "before"), 10, || ()).per_second;
    let (mut sizes, began) = (Vec::new(), Instant::now());
    let (kept, anew) = thread::scope(|threads| {
        let kept =
            threads.spawn(|| wrk::of(2, KEPT, stage.port, &mix(stage, "kept"), seconds, || ()));
        let script = format!(
            "wrk.headers['Connection'] = 'close'\n{}",
            mix(stage, "anew")
        );
        let anew = threads.spawn(move || wrk::of(2, ANEW, stage.port, &script, seconds, || ()));
        for look in 1..=seconds / LOOK {
            let due = began + Duration::from_secs(look * LOOK);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            sizes.push(stage.resident_megabytes());
        }
        (kept.join().expect("a turn"), anew.join().expect("a turn"))
    });
    thread::sleep(Duration::from_secs(2 * LOOK));
    let after = stage.resident_megabytes();
    let rate = |of: fn(&Turn) -> u64| (of(&kept) + of(&anew)) / seconds;
    let at = |part: usize| sizes[(sizes.len() * part / 4).min(sizes.len() - 1)];
    let highest = sizes.iter().max().copied().unwrap_or_default();
    format!(
        "| {database} | {can:.0} | {} | {} | {} | {} | {} | {} | {} | **{highest}** | {after} |\n",
        rate(|turn| turn.requests),
        rate(|turn| turn.refused),
        at(0),
        at(1),
        at(2),
        at(3),
        at(4),
    )
}

/// A signup, a list, a scan, and so on. `turn` makes the keys differ from those of other turns.
fn mix(stage: &Stage, turn: &str) -> String {
    format!(
        "local threads, n = 0, 0\n\
         setup = function(thread) threads = threads + 1; thread:set('first', threads * 1e9) end\n\
         init = function()\n\
         \x20 wrk.headers['Authorization'] = 'Bearer {key}'\n\
         \x20 wrk.headers['Content-Type'] = 'application/json'\n\
         end\n\
         request = function()\n\
         \x20 n = n + 1\n\
         \x20 if n % 3 == 0 then return wrk.format('GET', '/q/{code}') end\n\
         \x20 if n % 3 == 1 then return wrk.format('GET', '/api/v1/referrals?limit=20') end\n\
         \x20 local body = '{{\"impression_id\":\"{scan}\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"email\":\"j@example.com\",\
         \"idempotency_key\":\"{turn}_' .. (first + n) .. '\"}}'\n\
         \x20 return wrk.format('POST', '/api/v1/referrals', nil, body)\n\
         end\n",
        key = stage.key,
        code = stage.posters[0].code,
        scan = stage.impressions[0],
    )
}
