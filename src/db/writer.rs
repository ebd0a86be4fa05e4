//! SQLite's single writer: one thread, one commit for everything that is waiting.
//!
//! A commit at `synchronous=FULL` costs a disk flush however many rows it holds, so the writer takes the
//! jobs that are there (it never waits for more), runs them in one transaction, and answers all of them
//! after the commit. If one of them fails, the group is rolled back and redone with a savepoint around
//! each job, so the failing one fails alone; in the ordinary case nobody pays for savepoints.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::result::QueryResult;
use tokio::sync::{mpsc, oneshot};

use super::DbConnection;
use crate::clock::{Clock, Timestamp};
use crate::error::Error;

/// How many jobs may wait; the next one is turned away.
const LONGEST_QUEUE: usize = 2048;
/// The most jobs that share a commit.
const LARGEST_GROUP: usize = 512;
/// A job that waited longer than this is turned away instead of run: its caller has given up.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The door to the writer's thread. Cheap to clone; the thread ends when the last clone is gone.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    pub(super) fn start(url: &str, clock: Clock) -> Result<Self, Error> {
        let mut conn =
            DbConnection::open(url).map_err(|error| Error::Unavailable(error.to_string()))?;
        let (jobs, mut waiting) = mpsc::channel(LONGEST_QUEUE);
        thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || serve(&mut conn, &mut waiting, Moments { clock, last: 0 }))
            .map_err(Error::internal)?;
        Ok(Self { jobs })
    }

    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Task {
            work,
            outcome: None,
            reply,
            since: Instant::now(),
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Error::Unavailable("too many writes are waiting".to_owned())
            }
            mpsc::error::TrySendError::Closed(_) => Error::internal("the writer is gone"),
        })?;
        answer
            .await
            .map_err(|_| Error::internal("the writer dropped a job"))?
    }
}

/// One unit of work and the caller who waits for it.
trait Job: Send {
    /// Does the work and keeps the outcome; `false` if it failed or panicked.
    fn run(&mut self, conn: &mut DbConnection, now: Timestamp) -> bool;
    /// Whether the caller has waited too long already.
    fn is_stale(&self) -> bool;
    /// Tells the caller: the outcome, or why there is none.
    fn reply(self: Box<Self>, committed: Result<(), Error>);
}

struct Task<F, T> {
    work: F,
    outcome: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
    since: Instant,
}

impl<F, T> Job for Task<F, T>
where
    T: Send,
    F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send,
{
    fn run(&mut self, conn: &mut DbConnection, now: Timestamp) -> bool {
        // One panic must not end the writer for everybody.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(conn, now)))
            .unwrap_or_else(|_| Err(Error::internal("a write panicked")));
        let fine = outcome.is_ok();
        self.outcome = Some(outcome);
        fine
    }

    fn is_stale(&self) -> bool {
        self.since.elapsed() > LONGEST_WAIT
    }

    fn reply(self: Box<Self>, committed: Result<(), Error>) {
        let told = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // A job that failed by itself has its own reason, whatever became of the group.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(Error::internal("a write was never run")),
        };
        // A caller that has hung up is nobody's concern.
        let _ = self.reply.send(told);
    }
}

/// The moments of the writes: the clock's, but each later than the one before, so that ids are in the order of
/// the writes even when the clock stands or goes back.
struct Moments {
    clock: Clock,
    last: i64,
}

impl Moments {
    fn next(&mut self) -> Timestamp {
        self.last = self.clock.now().micros().max(self.last + 1);
        Timestamp::from_micros(self.last)
    }
}

fn serve(
    conn: &mut DbConnection,
    waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    mut moments: Moments,
) {
    let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(LARGEST_GROUP);
    while waiting.blocking_recv_many(&mut group, LARGEST_GROUP) > 0 {
        let (stale, mut fresh): (Vec<_>, Vec<_>) = group.drain(..).partition(|job| job.is_stale());
        for job in stale {
            job.reply(Err(Error::Unavailable(
                "waited too long to write".to_owned(),
            )));
        }
        let committed = together(conn, &mut fresh, &mut moments).and_then(|all_fine| {
            if all_fine {
                Ok(())
            } else {
                one_by_one(conn, &mut fresh, &mut moments)
            }
        });
        if committed.is_err() {
            // Whatever state the failure left, the next group starts outside a transaction.
            let _ = conn.rollback();
        }
        for job in fresh {
            job.reply(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(Error::Unavailable(error.to_string())),
            });
        }
    }
}

/// The ordinary case: all jobs in one transaction. `false`: one failed, and everything was rolled back.
fn together(
    conn: &mut DbConnection,
    group: &mut [Box<dyn Job>],
    moments: &mut Moments,
) -> QueryResult<bool> {
    conn.begin_write()?;
    if group.iter_mut().all(|job| job.run(conn, moments.next())) {
        conn.commit()?;
        Ok(true)
    } else {
        conn.rollback()?;
        Ok(false)
    }
}

/// The careful case: a savepoint around each job, so that what a failing one wrote goes with it.
fn one_by_one(
    conn: &mut DbConnection,
    group: &mut [Box<dyn Job>],
    moments: &mut Moments,
) -> QueryResult<()> {
    conn.begin_write()?;
    for job in group {
        conn.batch_execute("SAVEPOINT job")?;
        if job.run(conn, moments.next()) {
            conn.batch_execute("RELEASE job")?;
        } else {
            conn.batch_execute("ROLLBACK TO job; RELEASE job")?;
        }
    }
    conn.commit()
}
