//! Writes of one kind that are made together: what waits when the writer is ready becomes one call of one
//! function, which can tell the database about all of it in a few statements of many rows.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::sync::oneshot;

use super::DbConnection;
use super::job::{Job, LONGEST_WAIT, Moments, Ran, survive, within_savepoint};
use super::state::Matter;
use super::writer::Writer;
use crate::clock::Timestamp;
use crate::error::Error;

/// How many items may wait; the next one is turned away.
const MOST_WAITING: usize = 2048;

/// An item and the moment of its write.
#[derive(Debug)]
pub struct Timed<I> {
    /// Later than that of every write before it.
    pub at: Timestamp,
    /// What is to be written.
    pub item: I,
}

/// Why an item was not written.
#[derive(Debug)]
pub struct NotWritten {
    /// The reason.
    pub error: Error,
    /// The moment at which it was to be written, if it came to that. With a server that was lost during the commit
    /// the item may have been written all the same, at this moment.
    pub at: Option<Timestamp>,
    /// Whether nothing is wrong but that too many are waiting.
    pub is_for_lack_of_room: bool,
}

impl NotWritten {
    fn because(error: Error, at: Option<Timestamp>) -> Self {
        Self {
            error,
            at,
            is_for_lack_of_room: false,
        }
    }
}

/// Writes all items, in their order, and says what became of each. An error means that none of them is to stay;
/// then each is tried alone.
pub type Work<I, O> = fn(&mut DbConnection, &[Timed<I>]) -> Result<Vec<O>, Error>;

/// Where items of one kind wait for the writer. Cheap to clone.
pub struct Together<I, O> {
    work: Work<I, O>,
    matter: Matter,
    queue: Arc<Mutex<Queue<I, O>>>,
}

struct Queue<I, O> {
    waiting: Vec<Waiting<I, O>>,
    /// The ticket of the next item.
    ticket: u64,
    /// Whether the writer has been told that somebody waits.
    announced: bool,
    /// How many items were written.
    written: u64,
}

struct Waiting<I, O> {
    item: I,
    ticket: u64,
    since: Instant,
    caller: Caller<O>,
}

type Caller<O> = oneshot::Sender<Result<O, NotWritten>>;

impl<I, O> Clone for Together<I, O> {
    fn clone(&self) -> Self {
        Self {
            work: self.work,
            matter: self.matter,
            queue: Arc::clone(&self.queue),
        }
    }
}

impl<I: Send + 'static, O: Send + 'static> Together<I, O> {
    /// Items that `work` writes (or looks up), which changes what is known of `matter`.
    pub fn by(work: Work<I, O>, matter: Matter) -> Self {
        Self {
            work,
            matter,
            queue: Arc::new(Mutex::new(Queue {
                waiting: Vec::new(),
                ticket: 0,
                announced: false,
                written: 0,
            })),
        }
    }

    /// Does the work for one item.
    pub(super) fn alone(&self, conn: &mut DbConnection, item: I) -> Result<O, Error> {
        let at = Timestamp::from_micros(0);
        let mut outcomes = (self.work)(conn, &[Timed { at, item }])?;
        outcomes.pop().ok_or_else(|| Error::internal("no outcome"))
    }

    /// Writes `item` with whatever else waits, and answers after the commit. An item whose turn has not come after
    /// `patience` is withdrawn: it is certain that it will not be written.
    pub(super) async fn write(
        &self,
        writer: &Writer,
        item: I,
        patience: Duration,
    ) -> Result<O, NotWritten> {
        let never = |error| NotWritten::because(error, None);
        let (caller, mut answer) = oneshot::channel();
        let (ticket, first) = self.push(item, caller).map_err(|error| NotWritten {
            is_for_lack_of_room: true,
            ..never(error)
        })?;
        if first {
            let turn = Turn {
                together: self.clone(),
                items: Vec::new(),
                callers: Vec::new(),
                outcomes: Vec::new(),
            };
            if let Err(error) = writer.send(Box::new(turn)) {
                self.turn_away(&error);
            }
        }
        let gone = |_| never(Error::internal("the writer dropped an item"));
        match tokio::time::timeout(patience, &mut answer).await {
            Ok(told) => told.map_err(gone)?,
            Err(_) if self.withdraw(ticket) => Err(never(Error::Unavailable(
                "waited too long to write".to_owned(),
            ))),
            // What the writer has begun is waited for.
            Err(_) => answer.await.map_err(gone)?,
        }
    }

    /// Puts an item in the queue: its ticket, and whether the writer must be told.
    fn push(&self, item: I, caller: Caller<O>) -> Result<(u64, bool), Error> {
        let mut queue = self.queue();
        if queue.waiting.len() >= MOST_WAITING {
            return Err(Error::Unavailable("too many writes are waiting".to_owned()));
        }
        queue.ticket += 1;
        let ticket = queue.ticket;
        queue.waiting.push(Waiting {
            item,
            ticket,
            since: Instant::now(),
            caller,
        });
        Ok((ticket, !mem::replace(&mut queue.announced, true)))
    }

    /// Takes back an item. `false`: the writer has begun it.
    fn withdraw(&self, ticket: u64) -> bool {
        let waiting = &mut self.queue().waiting;
        let place = waiting.iter().position(|item| item.ticket == ticket);
        place.map(|place| waiting.remove(place)).is_some()
    }

    /// How many items were written since the start.
    pub fn written(&self) -> u64 {
        self.queue().written
    }

    /// How many items wait now.
    pub fn waiting(&self) -> usize {
        self.queue().waiting.len()
    }

    fn turn_away(&self, error: &Error) {
        for item in self.take() {
            let error = Error::Unavailable(error.cause());
            let _ = item.caller.send(Err(NotWritten::because(error, None)));
        }
    }

    fn take(&self) -> Vec<Waiting<I, O>> {
        let mut queue = self.queue();
        queue.announced = false;
        mem::take(&mut queue.waiting)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<I, O>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer's turn at what waits.
struct Turn<I, O> {
    together: Together<I, O>,
    items: Vec<Timed<I>>,
    callers: Vec<Caller<O>>,
    outcomes: Vec<Result<O, Error>>,
}

impl<I: Send + 'static, O: Send + 'static> Turn<I, O> {
    fn take(&mut self) {
        for waiting in self.together.take() {
            if waiting.since.elapsed() > LONGEST_WAIT {
                let error = Error::Unavailable("waited too long to write".to_owned());
                let _ = waiting.caller.send(Err(NotWritten::because(error, None)));
            } else {
                self.items.push(Timed {
                    at: Timestamp::from_micros(0),
                    item: waiting.item,
                });
                self.callers.push(waiting.caller);
            }
        }
    }
}

impl<I: Send + 'static, O: Send + 'static> Job for Turn<I, O> {
    fn run(&mut self, conn: &mut DbConnection, moments: &mut Moments) -> Ran {
        self.take();
        for item in &mut self.items {
            item.at = moments.next();
        }
        if self.items.is_empty() {
            return Ran::Fine;
        }
        let outcomes = survive(|| (self.together.work)(conn, &self.items));
        let ran = Ran::of(&outcomes);
        self.outcomes = outcomes.into_iter().flatten().map(Ok).collect();
        ran
    }

    fn run_alone(&mut self, conn: &mut DbConnection, moments: &mut Moments) -> QueryResult<()> {
        // The group may have failed before it came to this job.
        self.take();
        self.outcomes.clear();
        for item in &mut self.items {
            item.at = moments.next();
            let mut outcome = Err(Error::internal("a write said nothing"));
            within_savepoint(conn, |conn| {
                outcome = survive(|| (self.together.work)(conn, std::slice::from_ref(item)))
                    .and_then(|mut told| told.pop().ok_or_else(|| Error::internal("no outcome")));
                outcome.is_ok()
            })?;
            self.outcomes.push(outcome);
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.items.len()
    }

    fn matter(&self) -> Matter {
        self.together.matter
    }

    fn is_stale(&self) -> bool {
        false
    }

    fn reply(mut self: Box<Self>, committed: Result<(), &str>) {
        if let Err(error) = committed {
            // The group never got to this job's turn: whoever waits must not wait for the next.
            self.take();
            for (item, caller) in self.items.into_iter().zip(self.callers) {
                let at = (item.at.micros() > 0).then_some(item.at);
                let error = Error::Unavailable(error.to_owned());
                let _ = caller.send(Err(NotWritten::because(error, at)));
            }
            return;
        }
        self.together.queue().written += self.items.len() as u64;
        if self.outcomes.is_empty() {
            // A look-up that failed, which nobody makes again for each by itself.
            for caller in self.callers {
                let error = Error::internal("a look-up failed");
                let _ = caller.send(Err(NotWritten::because(error, None)));
            }
            return;
        }
        for ((item, caller), outcome) in self.items.iter().zip(self.callers).zip(self.outcomes) {
            let at = Some(item.at);
            let _ = caller.send(outcome.map_err(|error| NotWritten::because(error, at)));
        }
    }
}
