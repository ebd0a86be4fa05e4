//! SQLite's write-ahead log is copied into the database beside the writer, not by it.
//!
//! Left alone, whoever commits the page that is one too many copies the whole log, and everybody waits for that: a
//! few hundred milliseconds now and then. A connection of its own does most of it while the writer goes on, every other
//! second and whenever the log is long. It is the writer who begins the log anew, because only then nobody adds to it;
//! what is left to copy by then is little. When something was erased, the log is emptied too, as soon as nobody reads
//! from it.

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

/// How often it looks how long the log is.
const LOOK: Duration = Duration::from_millis(100);
/// How many looks pass until what is there is copied, however little it is.
const ROUND: u32 = 20;
/// With so many pages in it, what is there is copied without waiting for that: at 16,000 the writer begins it anew.
const LONG: i32 = 10_000;
/// So few pages may be left when that is done: the writer copies them in a few milliseconds.
const FEW: i32 = 500;

/// Holds the thread: it ends when this is dropped.
#[derive(Clone)]
pub(super) struct Checkpointer {
    _alive: SyncSender<()>,
    to_empty: Arc<AtomicBool>,
}

/// What SQLite says of a checkpoint: whether somebody was in the way, and how many pages the log has and how many of
/// them are copied.
#[derive(QueryableByName)]
struct Outcome {
    #[diesel(sql_type = Integer)]
    busy: i32,
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

/// Copies the whole log into the file and cuts it off. Whether nobody was in the way.
pub(super) fn empty_the_log(conn: &mut DbConnection) -> QueryResult<bool> {
    let outcome: Outcome = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(conn)?;
    Ok(outcome.busy == 0)
}

/// How long the log is, and how many of its pages are not copied yet.
fn length(conn: &mut DbConnection) -> QueryResult<(i32, i32)> {
    let outcome: Outcome = sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(conn)?;
    Ok((outcome.log, outcome.log - outcome.checkpointed))
}

/// Copies what is there, and what has come meanwhile, which is less each time.
fn copy(conn: &mut DbConnection) -> QueryResult<()> {
    for _ in 0..3 {
        conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
        let (_, uncopied) = length(conn)?;
        if uncopied < FEW {
            break;
        }
    }
    Ok(())
}

/// Copies or empties the log, if it is time.
fn look(conn: &mut DbConnection, to_empty: &AtomicBool, is_round: bool) -> QueryResult<()> {
    if is_round && to_empty.swap(false, Ordering::AcqRel) {
        // What could not be done now is done in the next round.
        let emptied = empty_the_log(conn).unwrap_or_default();
        to_empty.fetch_or(!emptied, Ordering::AcqRel);
        return Ok(());
    }
    let (log, uncopied) = length(conn)?;
    if uncopied > 0 && is_round || uncopied >= FEW && log >= LONG {
        copy(conn)?;
    }
    Ok(())
}

impl Checkpointer {
    pub(super) fn start(url: &str) -> Result<Self, Error> {
        let mut conn =
            DbConnection::open(url).map_err(|error| Error::Unavailable(error.to_string()))?;
        let (alive, end) = mpsc::sync_channel(0);
        let to_empty = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&to_empty);
        let work = move || {
            let mut looks = 0_u32;
            while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                looks = looks.wrapping_add(1);
                // What failed now is tried again, or done by the writer.
                let _ = look(&mut conn, &wanted, looks.is_multiple_of(ROUND));
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
