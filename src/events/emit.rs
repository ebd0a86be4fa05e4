//! Verb: what happened is written down, in the transaction in which it happened.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::Serialize;

use super::model::{Event, EventKind};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, EventId, Tail};

/// Events of one moment sort in the order in which this process emits them.
static EMITTED: AtomicI64 = AtomicI64::new(0);

impl Event {
    /// `object`, as a client would get it, has just become what it is.
    pub fn new(
        account: &AccountId,
        kind: EventKind,
        object_id: &str,
        object: &impl Serialize,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let number = EMITTED.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            account_id: *account,
            id: EventId::with_tail(now, &Tail::numbered(number)),
            sequence: None,
            kind,
            object_id: object_id.to_owned(),
            data: serde_json::to_string(object).map_err(Error::internal)?,
            previous_status: None,
            created_at: now,
        })
    }

    /// The same, with where it stood before.
    #[must_use]
    pub fn after(mut self, status: &str) -> Self {
        self.previous_status = Some(status.to_owned());
        self
    }
}

/// Writes events down. SQLite has one writer, so their places in the order are known at once; on PostgreSQL they are
/// numbered after they are there.
pub fn emit(conn: &mut DbConnection, mut events: Vec<Event>) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    if let DbConnection::Sqlite(_) = conn {
        events.sort_by_key(|one| one.account_id);
        for of_account in events.chunk_by_mut(|one, two| one.account_id == two.account_id) {
            let count = i64::try_from(of_account.len()).unwrap_or(i64::MAX);
            let last = queries::count_on(conn, &of_account[0].account_id, count)?;
            for (event, sequence) in of_account.iter_mut().zip(last - count + 1..) {
                event.sequence = Some(sequence);
            }
        }
    }
    Ok(queries::insert(conn, &events)?)
}
