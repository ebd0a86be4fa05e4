//! How a connection stands: whether a request is being answered, and until when its client may keep us waiting.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

/// How long the head of a request may take to arrive.
pub(super) const HEAD: Duration = Duration::from_secs(5);
/// How long a client may leave an answer lying without taking any of it.
const LYING: Duration = Duration::from_secs(20);
/// How many bytes of an answer give its client another second to take all of it. Twenty it has anyway.
const BYTES_PER_SECOND: u64 = 16 << 10;
/// What a connection's own deadlines have in common with actix's, that one says first.
const AFTER_ACTIX: Duration = Duration::from_secs(1);

/// How a connection stands: what its deadline is made of.
#[derive(Debug)]
pub struct Seat {
    /// Requests that are being answered.
    at_work: Cell<usize>,
    /// When something last went out, or the connection began.
    since: Cell<Instant>,
    /// When the first byte came after that.
    heard: Cell<Option<Instant>>,
    /// Since when an answer lies there.
    lying: Cell<Option<Instant>>,
    /// Until when all of it has to be taken: its client may take a little of it again and again.
    taken_by: Cell<Option<Instant>>,
    /// How long it may rest.
    rest: Duration,
    /// How many requests have been answered.
    answered: Cell<u64>,
    /// Who is woken when the next one is: there are bytes that wait for it.
    next: RefCell<Option<Waker>>,
}

impl Seat {
    pub(super) fn new(rest: Duration) -> Self {
        Self {
            at_work: Cell::new(0),
            since: Cell::new(Instant::now()),
            heard: Cell::new(None),
            lying: Cell::new(None),
            taken_by: Cell::new(None),
            rest,
            answered: Cell::new(0),
            next: RefCell::new(None),
        }
    }

    /// A request is being answered until this is dropped.
    pub fn work(self: &Rc<Self>) -> Work {
        self.at_work.set(self.at_work.get() + 1);
        self.heard.set(None);
        Work(Rc::clone(self))
    }

    /// How many requests have been answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered.get()
    }

    /// There are bytes that wait for the next answer.
    pub(super) fn wake_when_answered(&self, waker: &Waker) {
        self.next.replace(Some(waker.clone()));
    }

    /// Something came in.
    pub(super) fn hears(&self) {
        if self.heard.get().is_none() {
            self.heard.set(Some(Instant::now()));
        }
    }

    /// Something went out.
    pub(super) fn speaks(&self) {
        self.lying.set(None);
        self.since.set(Instant::now());
    }

    /// All that there was has gone out.
    pub(super) fn has_spoken(&self) {
        self.taken_by.set(None);
    }

    /// So many bytes are not taken now.
    pub(super) fn lies(&self, bytes: usize) {
        let now = Instant::now();
        if self.lying.get().is_none() {
            self.lying.set(Some(now));
        }
        if self.taken_by.get().is_none() {
            let more = Duration::from_secs(bytes as u64 / BYTES_PER_SECOND);
            self.taken_by.set(Some(now + LYING + more));
        }
    }

    /// When it is over. A request that is being answered has deadlines of its own.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if let Some(lying) = self.lying.get() {
            let lying = lying + LYING;
            return Some(self.taken_by.get().map_or(lying, |by| by.min(lying)));
        }
        if self.at_work.get() > 0 {
            return None;
        }
        let since = self.since.get();
        let rest = since + self.rest + AFTER_ACTIX;
        Some(match self.heard.get() {
            Some(heard) => rest.min(heard.max(since) + HEAD + AFTER_ACTIX),
            None => rest,
        })
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Work(Rc<Seat>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.at_work.set(self.0.at_work.get() - 1);
        self.0.since.set(Instant::now());
        self.0.answered.set(self.0.answered.get() + 1);
        if let Some(next) = self.0.next.take() {
            next.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat() -> Seat {
        Seat::new(Duration::from_mins(1))
    }

    #[test]
    fn an_answer_that_is_not_touched_lies_twenty_seconds() {
        let (seat, began) = (seat(), Instant::now());
        seat.lies(1 << 20);
        let patience = seat.deadline().expect("a deadline") - began;
        assert_eq!(patience.as_secs(), 20);
    }

    #[test]
    fn who_takes_a_little_now_and_then_gets_no_more_time_than_the_answer_is_large() {
        let (seat, began) = (seat(), Instant::now());
        seat.lies(160 << 10);
        // Some of it is taken, and the rest lies there anew.
        seat.lying.set(Some(began + Duration::from_secs(25)));
        seat.lies(100 << 10);
        let patience = seat.deadline().expect("a deadline") - began;
        assert_eq!(patience.as_secs(), 30);
    }
}
