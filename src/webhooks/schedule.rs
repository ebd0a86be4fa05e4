//! When an event is tried again. No database and no clock: moments in, moments out.

use rand::Rng;

use super::model::Dialect;
use crate::clock::Timestamp;

/// Seconds between one attempt and the next: ten attempts in 75 hours, 35 minutes and 5 seconds.
const WAITS: [i64; 9] = [
    5,
    5 * 60,
    30 * 60,
    2 * 3600,
    5 * 3600,
    10 * 3600,
    14 * 3600,
    20 * 3600,
    24 * 3600,
];
/// VINR's: six attempts in a day, two hours and 36 minutes.
const VINR: [i64; 5] = [60, 5 * 60, 30 * 60, 2 * 3600, 24 * 3600];
/// How far around its plan an attempt may be, so that what failed together does not come back together.
const JITTER: f64 = 0.2;
/// An overloaded receiver is left alone at least so many seconds.
const BREATHER: i64 = 60;

/// What an attempt that failed says about the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hint {
    /// The receiver was too slow, or said that it has too much to do.
    pub overloaded: bool,
    /// The receiver's own wish, in seconds.
    pub retry_after: Option<i64>,
}

/// When an event that was tried `attempts` times, the last time at `now`, is tried again. `None`: not any more.
pub fn next(dialect: Dialect, attempts: i64, hint: Hint, now: Timestamp) -> Option<Timestamp> {
    let jitter = rand::rng().random_range(-JITTER..=JITTER);
    let waits: &[i64] = match dialect {
        Dialect::Handbill => &WAITS,
        Dialect::Vinr => &VINR,
    };
    wait(waits, attempts, hint, jitter).map(|micros| Timestamp::from_micros(now.micros() + micros))
}

/// The microseconds until then.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a day has few enough microseconds"
)]
fn wait(waits: &[i64], attempts: i64, hint: Hint, jitter: f64) -> Option<i64> {
    let place = usize::try_from(attempts - 1).ok()?;
    let seconds = *waits.get(place)?;
    let mut planned = (seconds as f64 * (1.0 + jitter) * 1e6) as i64;
    if hint.overloaded {
        let breather = (BREATHER as f64 * (1.0 + jitter.abs()) * 1e6) as i64;
        planned = planned.max(breather);
    }
    let wished = hint.retry_after.unwrap_or(0).saturating_mul(1_000_000);
    // Nobody can ask for less than the plan, nor push an event far beyond it.
    Some(wished.clamp(planned, planned.saturating_mul(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_take_75_hours_35_minutes_and_5_seconds() {
        let all: i64 = (1..=9)
            .map(|attempts| wait(&WAITS, attempts, Hint::default(), 0.0).unwrap())
            .sum();
        assert_eq!(all, (75 * 3600 + 35 * 60 + 5) * 1_000_000);
        assert_eq!(wait(&WAITS, 10, Hint::default(), 0.0), None);
    }

    #[test]
    fn vinrs_receivers_are_tried_again_five_times() {
        let planned = |attempts| wait(&VINR, attempts, Hint::default(), 0.0);
        let all = (1..=6).map(|attempts| planned(attempts).map(|micros| micros / 60_000_000));
        let all: Vec<Option<i64>> = all.collect();
        assert_eq!(
            all,
            [Some(1), Some(5), Some(30), Some(120), Some(1440), None]
        );
    }

    #[test]
    fn jitter_moves_an_attempt_by_a_fifth_at_most() {
        for _ in 0..1000 {
            let next = next(
                Dialect::Handbill,
                2,
                Hint::default(),
                Timestamp::from_micros(0),
            )
            .unwrap();
            assert!((240_000_000..=360_000_000).contains(&next.micros()));
        }
    }

    #[test]
    fn a_receivers_wish_counts_between_once_and_twice_the_plan() {
        let asked = |seconds| Hint {
            overloaded: false,
            retry_after: Some(seconds),
        };
        for (seconds, waits) in [
            (0, 300),
            (10, 300),
            (400, 400),
            (9_999, 600),
            (i64::MAX, 600),
        ] {
            assert_eq!(
                wait(&WAITS, 2, asked(seconds), 0.0),
                Some(waits * 1_000_000)
            );
        }
    }

    #[test]
    fn an_overloaded_receiver_is_left_alone_for_a_minute() {
        let hint = Hint {
            overloaded: true,
            retry_after: None,
        };
        assert_eq!(wait(&WAITS, 1, hint, 0.0), Some(60_000_000));
        assert_eq!(wait(&WAITS, 2, hint, 0.0), Some(300_000_000));
        assert_eq!(wait(&WAITS, 1, hint, -0.2), Some(72_000_000), "never less");
    }
}
