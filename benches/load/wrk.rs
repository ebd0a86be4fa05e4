//! Runs `wrk`: 64 connections that each send their next request when the last was answered.

use std::io::Write;
use std::process::Command;

/// Seconds per turn.
const SECONDS: &str = "4";

/// What one turn showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) per_second: f64,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    pub(crate) p99_ms: f64,
}

/// One turn against `url`, by a Lua script or plain.
pub(crate) fn drive(url: &str, script: Option<&str>) -> Turn {
    let mut file = tempfile::NamedTempFile::with_suffix(".lua").expect("a file");
    let ending = "\ndone = function(summary, latency) \
        io.write(string.format('RESULT %d %d %d %f\\n', summary.requests, summary.duration, \
        summary.errors.status + summary.errors.timeout + summary.errors.read + summary.errors.write, \
        latency:percentile(99))) end\n";
    file.write_all(format!("{}{ending}", script.unwrap_or_default()).as_bytes())
        .expect("written");
    let output = Command::new("wrk")
        .args(["-t2", "-c64", "-d", SECONDS, "-s"])
        .arg(file.path())
        .arg(url)
        .output()
        .expect("wrk, which `apt-get install wrk` brings");
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "))
        .unwrap_or_else(|| panic!("{text}"));
    let numbers: Vec<f64> = result
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts"
    )]
    let count = |at: usize| numbers[at] as u64;
    Turn {
        per_second: numbers[0] / (numbers[1] / 1e6),
        requests: count(0),
        failures: count(2),
        p99_ms: numbers[3] / 1000.0,
    }
}
