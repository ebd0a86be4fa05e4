//! The table in `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use crate::stage::Path;
use crate::wrk::Turn;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/benchmarks.md");
const BEGIN: &str = "<!-- load: begin -->\n";
const END: &str = "<!-- load: end -->";

pub(crate) struct Row {
    database: &'static str,
    path: &'static str,
    ratio: f64,
    lowest: f64,
    highest: f64,
    per_second: f64,
    p99_ms: f64,
    megabytes: u64,
}

impl Row {
    pub(crate) fn new(
        database: &'static str,
        path: &Path,
        turns: &[(Turn, Turn)],
        megabytes: u64,
    ) -> Self {
        let sorted = |of: &dyn Fn(&(Turn, Turn)) -> f64| {
            let mut numbers: Vec<f64> = turns.iter().map(of).collect();
            numbers.sort_by(f64::total_cmp);
            numbers
        };
        let ratios = sorted(&|(bare, ours)| ours.per_second / bare.per_second);
        let middle = turns.len() / 2;
        Self {
            database,
            path: path.name,
            ratio: ratios[middle],
            lowest: ratios[0],
            highest: ratios[ratios.len() - 1],
            per_second: sorted(&|(_, ours)| ours.per_second)[middle],
            p99_ms: sorted(&|(_, ours)| ours.p99_ms)[middle],
            megabytes,
        }
    }

    fn line(&self) -> String {
        format!(
            "| {} | {} | **{:.3}** | {:.3} – {:.3} | {:.0} | {:.1} | {} |",
            self.database,
            self.path,
            self.ratio,
            self.lowest,
            self.highest,
            self.per_second,
            self.p99_ms,
            self.megabytes
        )
    }
}

pub(crate) fn say(row: &Row) {
    let _ = writeln!(std::io::stdout(), "{}", row.line());
}

/// Puts the table between its marks.
pub(crate) fn write(rows: &[Row]) {
    let mut table = String::new();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let cpu = run(
        "sh",
        &["-c", "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2"],
    );
    let commit = run("git", &["rev-parse", "--short", "HEAD"]);
    let _ = writeln!(
        table,
        "Commit {commit}, {} cores ({cpu}), {} rounds of 4 s, 64 connections.\n",
        run("nproc", &[]),
        crate::ROUNDS
    );
    table.push_str("| database | path | of hello | lowest – highest | requests/s | p99 ms at full load | MB |\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        table.push_str(&row.line());
        table.push('\n');
    }
    let page = std::fs::read_to_string(FILE).expect("docs/benchmarks.md");
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the mark where the table begins");
    let (_, after) = rest.split_once(END).expect("the mark where the table ends");
    std::fs::write(FILE, format!("{before}{BEGIN}{table}{END}{after}")).expect("written");
}
