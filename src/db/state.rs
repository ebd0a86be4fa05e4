//! Which state the database is in. Whoever has an answer and the state that it was read in can tell whether it is still
//! right without reading it again.
//!
//! On SQLite every commit of this process goes through its one writer, which counts them, and apart from that those that
//! are more than scans: phones come in crowds, and what is known of referrals does not change by them. Whether another
//! process has written (the command line may) is looked at twice a second. On PostgreSQL the server is asked for its current
//! snapshot, once for all who want to know it at the moment: whatever becomes visible changes it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use compact_str::CompactString;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::recent::FRESH;
use super::statement::statement;
use super::together::Timed;
use super::{DbConnection, pool};
use crate::error::Error;

/// A state of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The file's.
    File {
        /// How often it was committed to, if that can be told now.
        commits: Option<u64>,
        /// How often it was committed to with more than scans.
        but_scans: u64,
    },
    /// The server's: since when it runs, and what is visible.
    Server(CompactString),
}

impl State {
    /// Whether what was read of `matter` in this state is right `now`.
    pub fn is_still(&self, now: &Self, matter: Matter) -> bool {
        match (self, now, matter) {
            (Self::File { but_scans, .. }, Self::File { but_scans: now, .. }, Matter::ButScans) => {
                but_scans == now
            }
            (Self::File { commits, .. }, Self::File { commits: now, .. }, _) => {
                commits.is_some() && commits == now
            }
            _ => self == now,
        }
    }
}

/// What a write changes, or an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// Nothing that can be asked for: it is only found sooner.
    Nothing,
    /// Scans and what is counted of them.
    Scans,
    /// All but these.
    ButScans,
    /// Whatever there is.
    Anything,
}

/// Counts the commits to a file. Cheap to clone.
#[derive(Clone)]
pub(super) struct Commits(Arc<Inner>);

struct Inner {
    url: String,
    /// Odd while a commit is on its way: then nobody can say whether it is visible yet.
    commits: AtomicU64,
    /// The same of those with more than scans.
    but_scans: AtomicU64,
    started: Instant,
    /// Milliseconds from `started` until which nobody has to look whether another process has written.
    looked_until: AtomicU64,
    others: Mutex<Option<Others>>,
}

/// The connection that notices what others have written, and what it saw last.
struct Others {
    conn: DbConnection,
    version: i64,
}

/// A commit on its way.
pub(super) struct Underway<'a>(&'a Inner, Matter);

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.count(self.1, 1);
    }
}

impl Inner {
    fn count(&self, matter: Matter, steps: u64) {
        if matter != Matter::Nothing {
            self.commits.fetch_add(steps, Ordering::SeqCst);
        }
        if matches!(matter, Matter::ButScans | Matter::Anything) {
            self.but_scans.fetch_add(steps, Ordering::SeqCst);
        }
    }
}

impl Commits {
    pub(super) fn to(url: &str) -> Self {
        Self(Arc::new(Inner {
            url: url.to_owned(),
            commits: AtomicU64::new(0),
            but_scans: AtomicU64::new(0),
            started: Instant::now(),
            looked_until: AtomicU64::new(0),
            others: Mutex::new(None),
        }))
    }

    /// A commit of `matter` begins; it ends when this is dropped.
    pub(super) fn begin(&self, matter: Matter) -> Underway<'_> {
        self.0.count(matter, 1);
        Underway(&self.0, matter)
    }

    /// The state, if it can be told now.
    pub(super) fn state(&self) -> Option<State> {
        let now = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let until = self.0.looked_until.load(Ordering::Acquire);
        if now >= until {
            // Whoever finds somebody else looking cannot know what they will see.
            let mut others = self.0.others.try_lock().ok()?;
            self.look(&mut others)?;
            let fresh = u64::try_from(FRESH.as_millis()).unwrap_or(u64::MAX);
            self.0.looked_until.store(now + fresh, Ordering::Release);
        }
        let at_rest = |count: &AtomicU64| {
            let count = count.load(Ordering::SeqCst);
            count.is_multiple_of(2).then_some(count)
        };
        Some(State::File {
            but_scans: at_rest(&self.0.but_scans)?,
            commits: at_rest(&self.0.commits),
        })
    }

    /// Counts what other connections have written since the last look as a commit. (Our own writer's are among them and
    /// counted twice, which does no harm.)
    fn look(&self, others: &mut Option<Others>) -> Option<()> {
        if others.is_none() {
            let conn = pool::open_reader(&self.0.url).ok()?;
            *others = Some(Others { conn, version: -1 });
        }
        let Others { conn, version } = others.as_mut()?;
        let seen = data_version(conn).ok()?;
        if seen != *version {
            *version = seen;
            self.0.count(Matter::Anything, 2);
        }
        Some(())
    }
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

fn data_version(conn: &mut DbConnection) -> QueryResult<i64> {
    let row: DataVersion = diesel::sql_query("PRAGMA data_version").get_result(conn)?;
    Ok(row.data_version)
}

#[derive(QueryableByName)]
struct Snapshot {
    #[diesel(sql_type = Text)]
    state: String,
}

/// A server that was started anew may have another history, so its start is part of the state.
const SNAPSHOT: &str =
    "SELECT pg_postmaster_start_time()::text || ' ' || pg_current_snapshot()::text AS state";

/// Asks the server once and tells all.
pub(super) fn ask_server(
    conn: &mut DbConnection,
    asked: &[Timed<()>],
) -> Result<Vec<Option<State>>, Error> {
    let state = match conn {
        DbConnection::Postgres(c) => {
            let row: Snapshot = statement(SNAPSHOT).get_result(c)?;
            Some(State::Server(row.state.into()))
        }
        DbConnection::Sqlite(_) => None,
    };
    Ok(asked.iter().map(|_| state.clone()).collect())
}
