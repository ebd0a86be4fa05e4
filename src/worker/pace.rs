//! How much work in the background is done at a time, and how long it rests then, so that nobody in the foreground waits
//! for it.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A quiet process gives background work a fifth of the time …
const QUIET: u32 = 4;
/// … and a busy one a twentieth.
const BUSY: u32 = 19;
/// After a piece that took very long, somebody else may wait for what comes behind the work in the background.
const LONGEST: Duration = Duration::from_secs(1);
/// A process is busy if it takes more than this part of all the processors' time.
const BUSY_FROM: u32 = 8;

/// The pace of work that is done piece by piece.
pub(super) struct Pace {
    /// Whether the process was busy during the last rest; nobody knows before the first.
    is_busy: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { is_busy: true }
    }

    /// How large the next piece is to be: large pieces cost less in all, but beside a busy process requests wait for the
    /// processor that a large one keeps.
    pub(super) fn piece<N>(&self, when_quiet: N, when_busy: N) -> N {
        if self.is_busy { when_busy } else { when_quiet }
    }

    /// Rests after a piece that took `took`.
    pub(super) async fn rest(&mut self, took: Duration) {
        let (began, processor) = (Instant::now(), processor_time());
        rest_for(took * QUIET).await;
        self.is_busy = is_busy(processor_time().saturating_sub(processor), began.elapsed());
        if self.is_busy {
            rest_for(took * (BUSY - QUIET)).await;
        }
    }
}

/// Rests so long, at most a second.
async fn rest_for(long: Duration) {
    tokio::time::sleep(long.min(LONGEST)).await;
}

/// Whether a process is busy that takes so much of the processors' time within so long.
fn is_busy(processor: Duration, within: Duration) -> bool {
    processor * BUSY_FROM > within * processors()
}

fn processors() -> u32 {
    available_parallelism().map_or(1, |number| u32::try_from(number.get()).unwrap_or(1))
}

/// What this process has taken of the processors' time, all its threads together.
fn processor_time() -> Duration {
    let taken = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(taken).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_all_processors_is_busy_and_who_takes_none_is_not() {
        let second = Duration::from_secs(1);
        assert!(is_busy(second * processors(), second));
        assert!(!is_busy(second * processors() / 9, second));
        assert!(!is_busy(Duration::ZERO, second));
    }

    #[test]
    fn pieces_are_small_until_the_process_is_known_to_be_quiet() {
        let mut pace = Pace::new();
        assert_eq!(pace.piece("large", "small"), "small");
        pace.is_busy = false;
        assert_eq!(pace.piece("large", "small"), "large");
    }

    #[test]
    fn work_takes_processor_time() {
        let before = processor_time();
        let mut sum = 0_u64;
        while processor_time() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(processor_time() > before);
    }
}
