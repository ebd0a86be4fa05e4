//! `cargo bench --bench growth`: what a year of data does to the hot paths on SQLite.
//!
//! Two servers: one on a database with nothing in it but a thousand posters and a thousand referrals, one on a file
//! with a million referrals from ten million scans. `wrk` drives both in turns; what counts is the ratio. Then the
//! published export loop walks to the end of the full one. The table goes into `docs/benchmarks.md`.
//!
//! `IMPRESSIONS`, `REFERRALS`, `ROUNDS` and `SECONDS` in the environment make a run smaller.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on says so by panicking"
)]

mod seed;
#[allow(dead_code, reason = "every bench needs its part")]
#[path = "../support/mod.rs"]
mod support;
mod walk;

use std::fmt::Write as _;
use std::time::Instant;

use seed::Sizes;
use support::stage::Stage;
use support::{number, page, paths, spread, wrk};

fn main() {
    let sizes = Sizes {
        impressions: number("IMPRESSIONS", 10_000_000),
        referrals: number("REFERRALS", 1_000_000),
    };
    let (rounds, seconds) = (number("ROUNDS", 4), number("SECONDS", 4));
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let set = |name: &str| Stage::set(&format!("sqlite://{}", file(name).display()));

    let mut empty = set("empty.db");
    empty.fill();
    let mut full = set("full.db");
    full.stop();
    let begun = Instant::now();
    let sample = seed::seed(&full, sizes);
    page::say(&format!("filled in {} s", begun.elapsed().as_secs()));
    full.start();
    full.fill();
    // Referrals of the whole year: the newest thousand are in the cache.
    full.referrals = sample;

    let mut text = format!(
        "{}; {} scans, {} referrals, a file of {} MB; {rounds} rounds of {seconds} s, 64 connections.\n\n\
         | path | empty, requests/s | full, requests/s | full of empty | lowest – highest |\n|---|---|---|---|---|\n",
        page::machine(),
        full.count("impressions"),
        full.count("referrals"),
        std::fs::metadata(file("full.db")).map_or(0, |file| file.len() / 1_000_000),
    );
    let walked = walk::walk(&full);
    // The first path is the crowd at one poster, which says nothing about growth.
    for (before, after) in paths::of(&empty).iter().zip(paths::of(&full)).skip(1) {
        let turns: Vec<(f64, f64)> = (0..rounds)
            .map(|round| {
                let turn = |stage: &Stage, path: &paths::Path| {
                    let script = path.script(&format!("round{round}"));
                    let turn = wrk::drive(stage.port, &script, seconds, || ());
                    assert_eq!(turn.failures, 0, "{}", path.name);
                    turn.per_second
                };
                (turn(&empty, before), turn(&full, &after))
            })
            .collect();
        let (_, at_first, _) = spread(turns.iter().map(|turn| turn.0));
        let (_, at_last, _) = spread(turns.iter().map(|turn| turn.1));
        let (lowest, ratio, highest) = spread(turns.iter().map(|turn| turn.1 / turn.0));
        let line = format!(
            "| {} | {at_first:.0} | {at_last:.0} | **{ratio:.2}** | {lowest:.2} – {highest:.2} |",
            after.name
        );
        page::say(&line);
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(
        text,
        "\nThe export loop (`limit=100`, `offset += 100`): {} referrals on {} pages in {:.1} s, every one exactly once. \
         A page takes {:.2} ms at the beginning and {:.2} ms at the end (medians of 100): **{:.1}** times as long.",
        walked.rows,
        walked.pages,
        walked.whole.as_secs_f64(),
        walked.first,
        walked.last,
        walked.last / walked.first
    );
    let ((lowest, median, highest), megabytes) = full.cold_start();
    let _ = writeln!(
        text,
        "\nOn the full file the server is ready {median:.0} ms after its start ({lowest:.0} – {highest:.0}, five times) \
         and occupies {megabytes} MB."
    );
    page::write("growth", &text);
}
