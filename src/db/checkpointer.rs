//! SQLite's write-ahead log is copied into the database beside the writer, not by it.
//!
//! Left alone, whoever commits the page that is one too many copies the whole log, and everybody waits for that: a
//! few hundred milliseconds now and then. A connection of its own does most of it every other second while the writer
//! goes on; what is left for the writer, when the log has grown all the same, is little.

use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;

use super::DbConnection;
use crate::error::Error;

/// How often.
const ROUND: Duration = Duration::from_secs(2);

/// Holds the thread: it ends when this is dropped.
#[derive(Clone)]
pub(super) struct Checkpointer {
    _alive: SyncSender<()>,
}

impl Checkpointer {
    pub(super) fn start(url: &str) -> Result<Self, Error> {
        let mut conn =
            DbConnection::open(url).map_err(|error| Error::Unavailable(error.to_string()))?;
        let (alive, end) = mpsc::sync_channel(0);
        let work = move || {
            while end.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                // One that could not be made now is made in the next round, or by the writer.
                let _ = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)");
            }
        };
        thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(work)
            .map_err(Error::internal)?;
        Ok(Self { _alive: alive })
    }
}
