//! Which state the database is in: two values are equal only if nothing was committed between them. Whoever has an
//! answer and the state that it was read in can tell whether it is still right without reading it again.
//!
//! On SQLite every commit of this process goes through its one writer, which counts them; whether another process has
//! written (the command line may) is looked at twice a second. On PostgreSQL the server is asked for its current
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
    /// The file's: how often it was committed to.
    File(u64),
    /// The server's: since when it runs, and what is visible.
    Server(CompactString),
}

/// Counts the commits to a file. Cheap to clone.
#[derive(Clone)]
pub(super) struct Commits(Arc<Inner>);

struct Inner {
    url: String,
    /// Odd while a commit is on its way: then nobody can say whether it is visible yet.
    count: AtomicU64,
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
pub(super) struct Underway<'a>(&'a AtomicU64);

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Commits {
    pub(super) fn to(url: &str) -> Self {
        Self(Arc::new(Inner {
            url: url.to_owned(),
            count: AtomicU64::new(0),
            started: Instant::now(),
            looked_until: AtomicU64::new(0),
            others: Mutex::new(None),
        }))
    }

    /// A commit begins; it ends when this is dropped.
    pub(super) fn begin(&self) -> Underway<'_> {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        Underway(&self.0.count)
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
        let count = self.0.count.load(Ordering::SeqCst);
        count.is_multiple_of(2).then_some(State::File(count))
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
            self.0.count.fetch_add(2, Ordering::SeqCst);
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
