//! The writer: one thread, one connection, one commit for everything that is waiting.
//!
//! A commit costs a disk flush however many rows it holds, so the writer takes the jobs that are there (it never
//! waits for more), runs them in one transaction, and answers all of them after the commit. If one of them fails,
//! the group is rolled back and redone with a savepoint around each, so the failing one fails alone; in the
//! ordinary case nobody pays for savepoints. On SQLite every write comes through here, on PostgreSQL those that
//! are told together (see `together`).

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::result::{ConnectionError, QueryResult};
use tokio::sync::{mpsc, oneshot};

use super::DbConnection;
use super::connection::PLANNED_FOR;
use super::job::{Job, Moments, Ran, Task};
use super::load::Tally;
use super::state::{Commits, Matter};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;

/// How many jobs may wait; the next one is turned away.
const LONGEST_QUEUE: usize = 2048;
/// The most jobs that share a commit.
const LARGEST_GROUP: usize = 512;

/// How many write to PostgreSQL: while one waits for its commit, the other goes on. SQLite has one.
const DESKS: usize = 2;

/// The door to the writers' threads. Cheap to clone; the threads end when the last clone is gone.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// A thread for writes, or two.
    pub(super) fn start(
        url: &str,
        clock: &Clock,
        commits: &Commits,
        tally: &Tally,
    ) -> Result<Self, Error> {
        Self::sit_down(url, clock, Some(commits), tally)
    }

    /// A thread for look-ups that are made together, which need no transaction.
    pub(super) fn start_reader(url: &str, clock: &Clock) -> Result<Self, Error> {
        Self::sit_down(url, clock, None, &Tally::default())
    }

    /// How many jobs wait, and how many may.
    pub(super) fn waiting(&self) -> (u64, u64) {
        let limit = self.jobs.max_capacity();
        ((limit - self.jobs.capacity()) as u64, limit as u64)
    }

    fn sit_down(
        url: &str,
        clock: &Clock,
        commits: Option<&Commits>,
        tally: &Tally,
    ) -> Result<Self, Error> {
        let (jobs, waiting) = mpsc::channel(LONGEST_QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let (name, desks) = match commits {
            Some(_) if DbConnection::is_sqlite(url) => ("writer", 1),
            Some(_) => ("writer", DESKS),
            None => ("reader", 1),
        };
        for _ in 0..desks {
            let mut desk = Desk {
                url: url.to_owned(),
                conn: Some(open(url)?),
                moments: Moments::of(clock.clone()),
                commits: commits.cloned(),
                tally: tally.clone(),
                planned: Instant::now(),
            };
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || desk.serve(&waiting))
                .map_err(Error::internal)?;
        }
        Ok(Self { jobs })
    }

    pub(super) async fn run<T, F>(&self, work: F, matter: Matter) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(Task {
            work,
            matter,
            outcome: None,
            reply,
            since: Instant::now(),
        }))?;
        answer
            .await
            .map_err(|_| Error::internal("the writer dropped a job"))?
    }

    /// Puts a job into the queue, or says that the queue is full.
    pub(super) fn send(&self, job: Box<dyn Job>) -> Result<(), Error> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Error::Unavailable("too many writes are waiting".to_owned())
            }
            mpsc::error::TrySendError::Closed(_) => Error::internal("the writer is gone"),
        })
    }
}

fn open(url: &str) -> Result<DbConnection, Error> {
    let unavailable = |error: ConnectionError| Error::Unavailable(error.to_string());
    let mut conn = DbConnection::open(url).map_err(unavailable)?;
    match &mut conn {
        // Everybody waits for the writer, so it does not wait for long.
        DbConnection::Postgres(inner) => {
            inner.batch_execute("SET lock_timeout = '1s'; SET statement_timeout = '5s'")?;
        }
        // What a statement of many rows must be able to take back is kept in memory and not in a file made for it.
        DbConnection::Sqlite(inner) => inner.batch_execute("PRAGMA temp_store = MEMORY")?,
    }
    Ok(conn)
}

/// Where the writer's thread sits: its connection, which is opened again when it was lost.
struct Desk {
    url: String,
    conn: Option<DbConnection>,
    moments: Moments,
    /// Counts what is committed; a reader's commits nothing.
    commits: Option<Commits>,
    tally: Tally,
    /// When plans were last forgotten.
    planned: Instant,
}

impl Desk {
    fn serve(&mut self, waiting: &Mutex<mpsc::Receiver<Box<dyn Job>>>) {
        let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(LARGEST_GROUP);
        // Whoever is ready takes what is there.
        let next = |group: &mut Vec<_>| {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.blocking_recv_many(group, LARGEST_GROUP)
        };
        while next(&mut group) > 0 {
            let (stale, mut fresh): (Vec<_>, Vec<_>) =
                group.drain(..).partition(|job| job.is_stale());
            for job in stale {
                job.reply(Err("waited too long to write"));
            }
            let committed = self.commit(&mut fresh).map_err(|error| error.cause());
            if committed.is_ok() {
                let writes = fresh.iter().map(|job| job.size()).sum();
                self.tally.add(fresh.len(), writes);
            }
            for job in fresh {
                job.reply(match &committed {
                    Ok(()) => Ok(()),
                    Err(error) => Err(error),
                });
            }
        }
    }

    fn commit(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Error> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => open(&self.url)?,
        };
        if self.planned.elapsed() > PLANNED_FOR {
            conn.forget_plans()?;
            self.planned = Instant::now();
        }
        let moments = &mut self.moments;
        let Some(commits) = &self.commits else {
            self.conn = Some(look_up(conn, &self.url, group, moments)?);
            return Ok(());
        };
        let committed = match together(&mut conn, group, moments, commits) {
            Ok(Ran::Fine) => Ok(()),
            Ok(Ran::Failed) => one_by_one(&mut conn, group, moments, commits).map_err(Error::from),
            Ok(Ran::Gone(cause)) => Err(Error::Unavailable(cause)),
            Err(error) => Err(Error::from(error)),
        };
        if committed.is_err() {
            // Whatever state the failure left, the next group starts outside a transaction.
            let _ = conn.rollback();
        }
        // A server that went away takes the connection with it; a file does not.
        if committed.is_ok() || matches!(conn, DbConnection::Sqlite(_)) {
            self.conn = Some(conn);
        }
        committed
    }
}

/// Look-ups change nothing, so those for which the connection turned out to be dead are made again, on a new one.
fn look_up(
    mut conn: DbConnection,
    url: &str,
    group: &mut [Box<dyn Job>],
    moments: &mut Moments,
) -> Result<DbConnection, Error> {
    let mut is_gone = |conn: &mut DbConnection| {
        let gone = |job: &mut Box<dyn Job>| matches!(job.run(conn, moments), Ran::Gone(_));
        group.iter_mut().any(gone)
    };
    if is_gone(&mut conn) {
        let away = || Error::Unavailable("the database went away".to_owned());
        if conn.ping().is_ok() {
            return Err(away());
        }
        conn = open(url)?;
        if is_gone(&mut conn) {
            return Err(away());
        }
    }
    Ok(conn)
}

/// What the group changes, all together.
fn matter(group: &[Box<dyn Job>]) -> Matter {
    let each = group.iter().map(|job| job.matter());
    each.fold(Matter::Nothing, |all, one| match (all, one) {
        (Matter::Nothing, one) => one,
        (all, Matter::Nothing) => all,
        (all, one) if all == one => all,
        _ => Matter::Anything,
    })
}

/// The ordinary case: all jobs in one transaction. Unless all went well, everything was rolled back.
fn together(
    conn: &mut DbConnection,
    group: &mut [Box<dyn Job>],
    moments: &mut Moments,
    commits: &Commits,
) -> QueryResult<Ran> {
    conn.begin_write()?;
    moments.begin(conn)?;
    for job in &mut *group {
        match job.run(conn, moments) {
            Ran::Fine => {}
            failed => return conn.rollback().map(|()| failed),
        }
    }
    let _underway = commits.begin(matter(group));
    conn.commit().map(|()| Ran::Fine)
}

/// The careful case: savepoints, so that what a failing job wrote goes with it.
fn one_by_one(
    conn: &mut DbConnection,
    group: &mut [Box<dyn Job>],
    moments: &mut Moments,
    commits: &Commits,
) -> QueryResult<()> {
    conn.begin_write()?;
    moments.begin(conn)?;
    for job in &mut *group {
        job.run_alone(conn, moments)?;
    }
    let _underway = commits.begin(matter(group));
    conn.commit()
}
