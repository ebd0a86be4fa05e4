//! The settings of how much at a time, and how long.

use std::time::Duration;

use super::vars::{Vars, or_off, within};

/// How much this process takes on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections that are open at the same time.
    pub connections: usize,
    /// How long a connection may rest between two requests.
    pub keep_alive: Duration,
    /// Requests of one key that are on their way at the same time; `None`: no limit.
    pub key_concurrency: Option<usize>,
    /// How long what was accepted may take when the process is told to stop.
    pub shutdown: Duration,
}

impl Limits {
    pub(super) fn take(vars: &mut Vars) -> Result<Self, String> {
        let mut number = |name: &str, expected: &str, most: usize, default| {
            let number = vars.take(name, expected, within(1..=most));
            number.map(|number| number.unwrap_or(default))
        };
        let connections = number(
            "HANDBILL_CONNECTIONS",
            "a number from 1 to 1000000",
            1_000_000,
            10_000,
        )?;
        let seconds = "a number of seconds from 1 to 3600";
        let mut duration = |name: &str, default| {
            number(name, seconds, 3600, default).map(|seconds| Duration::from_secs(seconds as u64))
        };
        let keep_alive = duration("HANDBILL_KEEP_ALIVE_SECONDS", 75)?;
        let shutdown = duration("HANDBILL_SHUTDOWN_SECONDS", 30)?;
        let key_concurrency = vars
            .take(
                "HANDBILL_KEY_CONCURRENCY",
                "a number from 1 to 2000, or off",
                or_off(within(1..=2000)),
            )?
            .unwrap_or(Some(256));
        Ok(Self {
            connections,
            keep_alive,
            key_concurrency,
            shutdown,
        })
    }
}
