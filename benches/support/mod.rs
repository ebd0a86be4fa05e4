//! What the benches share: a server with something in it, requests, a generator, tables in `docs/benchmarks.md`.

pub(crate) mod http;
pub(crate) mod page;
pub(crate) mod paths;
pub(crate) mod stage;
pub(crate) mod wrk;

use std::time::Duration;

/// The number that the environment variable `name` says, to make a run shorter or longer.
#[expect(
    clippy::disallowed_methods,
    reason = "these are settings of a bench, not of the server"
)]
pub(crate) fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => default,
    }
}

/// Lowest, median, highest.
pub(crate) fn spread(numbers: impl IntoIterator<Item = f64>) -> (f64, f64, f64) {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len() - 1;
    let middle = f64::midpoint(numbers[last / 2], numbers[last.div_ceil(2)]);
    (numbers[0], middle, numbers[last])
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
