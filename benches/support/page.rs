//! The tables in `docs/benchmarks.md`.

use std::fs;
use std::io::Write as _;
use std::process::Command;
use std::thread::available_parallelism;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/benchmarks.md");

pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Puts `text` between the marks of `name`.
pub(crate) fn write(name: &str, text: &str) {
    say(text);
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let page = fs::read_to_string(FILE).expect("docs/benchmarks.md");
    let (before, rest) = page
        .split_once(&begin)
        .expect("the mark where the table begins");
    let (_, after) = rest
        .split_once(&end)
        .expect("the mark where the table ends");
    fs::write(FILE, format!("{before}{begin}{text}{end}{after}")).expect("written");
}

/// What was measured, on what. A run on tmpfs, where nothing reaches a disk, shows.
pub(crate) fn machine() -> String {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let commit = run("git", &["describe", "--always", "--dirty"]);
    let folder = std::env::temp_dir();
    let disk = run(
        "stat",
        &["-f", "-c", "%T", folder.to_str().unwrap_or_default()],
    );
    let cores = available_parallelism().map_or(0, usize::from);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':']));
    format!("Commit {commit}, {cores} cores ({cpu}), databases on {disk}")
}
