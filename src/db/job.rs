//! What the writer runs: jobs that know how to run among others, how to run alone, and whom to tell.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::result::QueryResult;
use tokio::sync::oneshot;

use super::state::Matter;
use super::{DbConnection, order};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;

/// A job that waited longer than this is turned away instead of run: its caller has given up.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// Work and the callers who wait for it.
pub(super) trait Job: Send {
    /// Does the work and keeps the outcome.
    fn run(&mut self, conn: &mut DbConnection, moments: &mut Moments) -> Ran;
    /// Does the work so that whatever in it fails leaves nothing behind, and fails alone.
    fn run_alone(&mut self, conn: &mut DbConnection, moments: &mut Moments) -> QueryResult<()>;
    /// How many writes it is, when it has been run.
    fn size(&self) -> usize {
        1
    }
    /// What it changes.
    fn matter(&self) -> Matter;
    /// Whether the caller has waited too long already.
    fn is_stale(&self) -> bool;
    /// Tells the callers: the outcome, or why there is none.
    fn reply(self: Box<Self>, committed: Result<(), &str>);
}

/// How a job went.
#[derive(Debug)]
pub(super) enum Ran {
    /// Well.
    Fine,
    /// It failed or panicked, and what it wrote must go: the group is to be redone.
    Failed,
    /// The database cannot work now, for this job or for any other.
    Gone(String),
}

impl Ran {
    pub(super) fn of<T>(outcome: &Result<T, Error>) -> Self {
        match outcome {
            Ok(_) => Self::Fine,
            Err(Error::Unavailable(cause)) => Self::Gone(cause.clone()),
            Err(_) => Self::Failed,
        }
    }
}

/// One closure and one caller.
pub(super) struct Task<F, T> {
    pub(super) work: F,
    pub(super) matter: Matter,
    pub(super) outcome: Option<Result<T, Error>>,
    pub(super) reply: oneshot::Sender<Result<T, Error>>,
    pub(super) since: Instant,
}

impl<F, T> Job for Task<F, T>
where
    T: Send,
    F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send,
{
    fn run(&mut self, conn: &mut DbConnection, moments: &mut Moments) -> Ran {
        let now = moments.next();
        let outcome = survive(|| (self.work)(conn, now));
        let ran = Ran::of(&outcome);
        self.outcome = Some(outcome);
        ran
    }

    fn run_alone(&mut self, conn: &mut DbConnection, moments: &mut Moments) -> QueryResult<()> {
        within_savepoint(conn, |conn| matches!(self.run(conn, moments), Ran::Fine))
    }

    fn matter(&self) -> Matter {
        self.matter
    }

    fn is_stale(&self) -> bool {
        self.since.elapsed() > LONGEST_WAIT
    }

    fn reply(self: Box<Self>, committed: Result<(), &str>) {
        let told = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // A job that failed by itself has its own reason, whatever became of the group.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(Error::Unavailable(error.to_owned())),
            (Ok(()), None) => Err(Error::internal("a write was never run")),
        };
        // A caller that has hung up is nobody's concern.
        let _ = self.reply.send(told);
    }
}

/// One panic must not end the writer for everybody.
pub(super) fn survive<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::internal("a write panicked")))
}

/// Runs `work` and takes back what it wrote if it says that it failed.
pub(super) fn within_savepoint(
    conn: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> bool,
) -> QueryResult<()> {
    conn.batch_execute("SAVEPOINT job")?;
    match work(conn) {
        true => conn.batch_execute("RELEASE SAVEPOINT job"),
        false => conn.batch_execute("ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job"),
    }
}

/// The moments of the writes: the clock's (on PostgreSQL the database's, registered once per group), but each
/// later than the one before, so that ids are in the order of the writes even when the clock stands or goes back.
pub(super) struct Moments {
    clock: Clock,
    begun: Option<i64>,
    last: i64,
}

impl Moments {
    pub(super) fn of(clock: Clock) -> Self {
        Self {
            clock,
            begun: None,
            last: 0,
        }
    }

    /// A transaction has begun on `conn`.
    pub(super) fn begin(&mut self, conn: &mut DbConnection) -> QueryResult<()> {
        self.begun = match (&*conn, &self.clock) {
            (DbConnection::Postgres(_), Clock::System) => {
                Some(order::moment(conn, &self.clock)?.micros())
            }
            _ => None,
        };
        Ok(())
    }

    /// The moment of the next write.
    pub(super) fn next(&mut self) -> Timestamp {
        let now = self.begun.unwrap_or_else(|| self.clock.now().micros());
        self.last = now.max(self.last + 1);
        Timestamp::from_micros(self.last)
    }
}
