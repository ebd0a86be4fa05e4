//! Verb: the events of old scans lose which phone it was, as the scans do (`HANDBILL_SCAN_RETENTION_DAYS`).

use super::blank::without_a_phone;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{self, AccountId, EventId};

/// The next events of scans, behind `after`, that are older than `cutoff`. Looks at all events in between, so it is asked
/// where nobody waits.
pub fn due(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&EventId>,
    cutoff: Timestamp,
) -> Result<Vec<EventId>, Error> {
    let end = ids::first_at("evt", cutoff);
    let after = after.map_or("", EventId::as_str);
    Ok(queries::events_of_scans(conn, account, after, &end)?)
}

/// Takes the phone out of them.
pub fn forget(
    conn: &mut DbConnection,
    account: &AccountId,
    events: &[EventId],
) -> Result<(), Error> {
    Ok(queries::empty_events(
        conn,
        account,
        events,
        without_a_phone,
    )?)
}
