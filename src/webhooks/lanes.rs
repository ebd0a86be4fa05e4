//! How many endpoints are delivered to at the same time, and who has to make room. No database.
//!
//! Every delivery has a place; a few also have a turn. Who has a turn takes the next event at once. A turn lasts a
//! second: a receiver that has not answered by then is waited for in its place, and the turn is somebody else's. What
//! failed last time has places and turns of its own. So a receiver that is dead takes nobody's turn for longer than a
//! second, and once that is known, no turn at all of those that are well.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How long an endpoint may deliver while others wait for their turn, and for how long it is taken to be well.
const TURN: Duration = Duration::from_secs(1);

/// Whether the last attempt at an endpoint failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It did not, or there was none.
    Well,
    /// It did.
    Failing,
}

impl Standing {
    /// How many have a turn, and how many have a place, at the same time.
    const fn room(self) -> (usize, usize) {
        match self {
            Self::Well => (64, 384),
            Self::Failing => (16, 128),
        }
    }
}

/// The places and turns of one standing.
#[derive(Debug)]
pub(super) struct Lane {
    /// Whose.
    pub(super) standing: Standing,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Whether nobody goes on any more.
    closed: Arc<AtomicBool>,
}

/// A place in a lane, and perhaps a turn.
#[derive(Debug)]
pub(super) struct Place {
    turns: Arc<Semaphore>,
    turn: Option<OwnedSemaphorePermit>,
    ends: Instant,
    closed: Arc<AtomicBool>,
    _place: OwnedSemaphorePermit,
}

impl Lane {
    /// An empty lane.
    pub(super) fn new(standing: Standing) -> Self {
        let (turns, places) = standing.room();
        Self {
            standing,
            turns: Arc::new(Semaphore::new(turns)),
            places: Arc::new(Semaphore::new(places)),
            closed: Arc::default(),
        }
    }

    /// Everybody ends with the event he is at.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// How many more can be delivered to now.
    pub(super) fn room(&self) -> usize {
        let (turns, places) = (&self.turns, &self.places);
        turns.available_permits().min(places.available_permits())
    }

    /// A place with a turn, if there is room.
    pub(super) fn enter(&self) -> Option<Place> {
        Some(Place {
            _place: self.places.clone().try_acquire_owned().ok()?,
            turn: Some(self.turns.clone().try_acquire_owned().ok()?),
            turns: self.turns.clone(),
            ends: Instant::now() + TURN,
            closed: self.closed.clone(),
        })
    }
}

impl Place {
    /// Whether the turn is over.
    pub(super) fn is_over(&self) -> bool {
        self.turn.is_none() || self.ends <= Instant::now() || self.closed.load(Ordering::Relaxed)
    }

    /// Does `work`. When the turn is over before that is done, it is given up, `over` is called, and `work` goes on.
    pub(super) async fn during<T>(
        &mut self,
        work: impl Future<Output = T>,
        over: impl FnOnce(),
    ) -> T {
        let mut work = pin!(work);
        if self.turn.is_some() {
            if let Ok(done) = timeout_at(self.ends, &mut work).await {
                return done;
            }
            self.turn = None;
            over();
        }
        work.await
    }

    /// Takes another turn, unless others may be waiting for one.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        if self.turns.available_permits() == 0 {
            // Nobody waits in vain for one who has his turn until that is over.
            return !self.is_over();
        }
        if self.turn.is_none() {
            self.turn = self.turns.clone().try_acquire_owned().ok();
        }
        self.ends = Instant::now() + TURN;
        self.turn.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_takes_longer_than_a_turn_keeps_the_place_and_not_the_turn() {
        let lane = Lane::new(Standing::Failing);
        let mut places: Vec<Place> = std::iter::from_fn(|| lane.enter()).collect();
        assert_eq!((places.len(), lane.room()), (16, 0));
        assert!(places[0].goes_on(), "there is some of the turn left");
        // Work that is done once the turn is over, however slow the machine.
        let (over, work) = tokio::sync::oneshot::channel();
        let told = places[0].during(work, || over.send(()).unwrap()).await;
        assert!(told.is_ok() && places[0].is_over());
        assert_eq!(lane.room(), 1);
        assert!(places[0].goes_on(), "nobody else wants it");
        assert!(
            !places[1].goes_on(),
            "others may wait, and this turn is over"
        );
        lane.close();
        assert!(!places[0].goes_on() && places[0].is_over());
        drop(places);
        assert_eq!(lane.room(), 16);
    }
}
