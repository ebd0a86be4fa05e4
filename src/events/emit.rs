//! Verb: what happened is written down, in the transaction in which it happened.

use serde::Serialize;

use super::model::{Event, EventKind};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

impl Event {
    /// `object`, as a client would get it, has just become what it is.
    pub fn new(
        account: &AccountId,
        kind: EventKind,
        object_id: &str,
        object: &impl Serialize,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            account_id: *account,
            sequence: 0,
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

/// Writes events down, in their order. SQLite has one writer, so their numbers are known at once; on PostgreSQL they are
/// numbered after they are there.
pub fn emit(conn: &mut DbConnection, mut events: Vec<Event>) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    if let DbConnection::Sqlite(_) = conn {
        events.sort_by_key(|one| one.account_id);
        for of_account in events.chunk_by_mut(|one, two| one.account_id == two.account_id) {
            let last = queries::last_sequence(conn, &of_account[0].account_id)?;
            for (event, sequence) in of_account.iter_mut().zip(last + 1..) {
                event.sequence = sequence;
            }
        }
    }
    Ok(queries::insert(conn, &events)?)
}
