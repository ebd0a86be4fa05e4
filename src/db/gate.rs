//! A queue with two ends to it: at most so many inside, at most so many waiting, and nobody waits for ever.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::Error;

/// Lets `inside` through at a time and turns away whoever would wait behind too many or for too long.
pub(super) struct Gate {
    inside: Semaphore,
    waiting: Semaphore,
    sizes: (usize, usize),
    longest_wait: Duration,
}

impl Gate {
    pub(super) fn new(inside: usize, waiting: usize, longest_wait: Duration) -> Self {
        Self {
            inside: Semaphore::new(inside),
            waiting: Semaphore::new(waiting),
            sizes: (inside, waiting),
            longest_wait,
        }
    }

    /// How many are inside, how many may be, and how many wait.
    pub(super) fn load(&self) -> (u64, u64, u64) {
        let taken =
            |size: usize, of: &Semaphore| size.saturating_sub(of.available_permits()) as u64;
        let inside = taken(self.sizes.0, &self.inside);
        let waiting = taken(self.sizes.1, &self.waiting);
        (inside, self.sizes.0 as u64, waiting)
    }

    /// A turn, which ends when the permit is dropped.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Error> {
        if let Ok(turn) = self.inside.try_acquire() {
            return Ok(turn);
        }
        let full = || Error::Unavailable("too many requests wait for the database".to_owned());
        let _place = self.waiting.try_acquire().map_err(|_| full())?;
        match timeout(self.longest_wait, self.inside.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(full()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_too_long_or_behind_too_many_is_turned_away() {
        let gate = Gate::new(1, 1, Duration::from_millis(20));
        let _inside = gate.enter().await.unwrap();
        let (waited, refused) = tokio::join!(gate.enter(), gate.enter());
        assert!(matches!(waited, Err(Error::Unavailable(_))));
        assert!(matches!(refused, Err(Error::Unavailable(_))));
    }
}
