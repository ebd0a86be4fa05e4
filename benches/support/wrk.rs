//! Runs `wrk`: connections that each send their next request when the last was answered.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// What one turn showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) per_second: f64,
    pub(crate) requests: u64,
    /// Answers of 400 and above.
    pub(crate) refused: u64,
    /// These, and requests without an answer.
    pub(crate) failures: u64,
}

/// One turn of `seconds` of 64 connections against `port`, by a Lua script or plain; `midway` is called when half of it
/// is over.
pub(crate) fn drive(port: u16, script: &str, seconds: u64, midway: impl FnOnce()) -> Turn {
    of(2, 64, port, script, seconds, midway)
}

/// The same, of so many connections that so many threads drive.
pub(crate) fn of(
    threads: u64,
    connections: u64,
    port: u16,
    script: &str,
    seconds: u64,
    midway: impl FnOnce(),
) -> Turn {
    let mut file = tempfile::NamedTempFile::with_suffix(".lua").expect("a file");
    let ending = "\ndone = function(summary) \
        io.write(string.format('RESULT %d %d %d %d\\n', summary.requests, summary.duration, summary.errors.status, \
        summary.errors.status + summary.errors.timeout + summary.errors.read + summary.errors.write)) end\n";
    file.write_all(format!("{script}{ending}").as_bytes())
        .expect("written");
    let running = Command::new("wrk")
        .args(["-t", &threads.to_string(), "-c", &connections.to_string()])
        .args(["-d", &seconds.to_string(), "--timeout", "20s", "-s"])
        .arg(file.path())
        .arg(format!("http://127.0.0.1:{port}/"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("wrk, which `apt-get install wrk` brings");
    thread::sleep(Duration::from_secs(seconds) / 2);
    midway();
    let output = running.wait_with_output().expect("wrk's output");
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "))
        .unwrap_or_else(|| panic!("{text}"));
    let numbers: Vec<u64> = result
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [requests, micros, refused, failures] = numbers[..] else {
        panic!("{result}")
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_second = requests as f64 / (micros as f64 / 1e6);
    Turn {
        per_second,
        requests,
        refused,
        failures,
    }
}
