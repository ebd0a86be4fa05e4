//! SQLite's write-ahead log is copied into the database beside the writer, not by it.
//!
//! Left alone, whoever commits the page that is one too many copies the whole log, and everybody waits for that: a
//! few hundred milliseconds now and then. A connection of its own does most of it every other second while the writer
//! goes on; what is left for the writer, when the log has grown all the same, is little. When something was erased, the
//! log is emptied too, as soon as nobody reads from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;

use super::DbConnection;
use crate::error::Error;

/// How often.
const ROUND: Duration = Duration::from_secs(2);

/// Holds the thread: it ends when this is dropped.
#[derive(Clone)]
pub(super) struct Checkpointer {
    _alive: SyncSender<()>,
    to_empty: Arc<AtomicBool>,
}

#[derive(QueryableByName)]
struct Outcome {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// Copies the whole log into the file and cuts it off. Whether nobody was in the way.
pub(super) fn empty_the_log(conn: &mut DbConnection) -> QueryResult<bool> {
    let outcome: Outcome = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
    Ok(outcome.busy == 0)
}

impl Checkpointer {
    pub(super) fn start(url: &str) -> Result<Self, Error> {
        let mut conn =
            DbConnection::open(url).map_err(|error| Error::Unavailable(error.to_string()))?;
        let (alive, end) = mpsc::sync_channel(0);
        let to_empty = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&to_empty);
        let work = move || {
            while end.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                // One that could not be made now is made in the next round, or by the writer.
                if wanted.swap(false, Ordering::AcqRel) {
                    let emptied = empty_the_log(&mut conn).unwrap_or_default();
                    wanted.fetch_or(!emptied, Ordering::AcqRel);
                } else {
                    let _ = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)");
                }
            }
        };
        thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(work)
            .map_err(Error::internal)?;
        Ok(Self {
            _alive: alive,
            to_empty,
        })
    }

    /// Has the log emptied in one of the next rounds.
    pub(super) fn empty_soon(&self) {
        self.to_empty.store(true, Ordering::Release);
    }
}
