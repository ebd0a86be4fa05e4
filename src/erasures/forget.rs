//! Verb: the events of old scans lose which phone it was, as the scans do (`HANDBILL_SCAN_RETENTION_DAYS`).

use super::blank::without_a_phone;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::queries::first_since;
use crate::ids::AccountId;

/// The next events of scans, behind the one numbered `after`, that are older than `cutoff`. Looks at all events in between,
/// so it is asked where nobody waits.
pub fn due(
    conn: &mut DbConnection,
    account: &AccountId,
    after: i64,
    cutoff: Timestamp,
) -> Result<Vec<i64>, Error> {
    let end = first_since(conn, account, cutoff)?;
    Ok(queries::events_of_scans(conn, account, after, end)?)
}

/// Takes the phone out of them.
pub fn forget(conn: &mut DbConnection, account: &AccountId, events: &[i64]) -> Result<(), Error> {
    Ok(queries::empty_events(
        conn,
        account,
        events,
        without_a_phone,
    )?)
}
