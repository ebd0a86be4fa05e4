//! The open loop: requests are due at fixed moments, whether or not earlier ones were answered, and a latency counts
//! from the moment its request was due. So a pause of the server is felt by everybody who would have come meanwhile,
//! which a closed loop omits. Known tools cannot give every POST a key of its own at a fixed rate, so it is here.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::http::Connection;
use crate::support::milliseconds;
use crate::support::paths::Ready;

/// As many as `wrk` has.
const CONNECTIONS: usize = 64;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
}

/// `rate` requests per second for `seconds`, each by whichever connection is free.
pub(crate) fn drive(port: u16, requests: &Ready, rate: f64, seconds: u64) -> Latency {
    let interval = Duration::from_secs_f64(1.0 / rate);
    let total = u64::try_from(Duration::from_secs(seconds).as_nanos() / interval.as_nanos());
    let total = total.expect("a number of requests");
    let next = AtomicU64::new(0);
    let failures = AtomicU64::new(0);
    let latencies = Mutex::new(Vec::new());
    // The connections are made before the first request is due.
    let begin = Instant::now() + Duration::from_millis(200);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = Connection::open(port).expect("a connection");
                let mut mine = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= total {
                        break;
                    }
                    let request = requests.nth(n);
                    let due = begin + Duration::from_nanos(nanos(interval) * n);
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    let answer = connection.exchange(&request);
                    mine.push(due.elapsed());
                    if !answer.is_ok_and(|answer| answer.status < 400) {
                        failures.fetch_add(1, Ordering::Relaxed);
                    }
                }
                latencies.lock().expect("latencies").extend(mine);
            });
        }
    });
    let mut latencies = latencies.into_inner().expect("latencies");
    latencies.sort_unstable();
    let percentile =
        |percent: usize| milliseconds(latencies[(latencies.len() - 1) * percent / 100]);
    Latency {
        p50_ms: percentile(50),
        p99_ms: percentile(99),
        requests: total,
        failures: failures.into_inner(),
    }
}

fn nanos(interval: Duration) -> u64 {
    u64::try_from(interval.as_nanos()).expect("an interval")
}
