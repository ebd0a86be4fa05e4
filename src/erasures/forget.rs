//! Verb: the events of old scans lose which phone it was, as the scans do (`HANDBILL_SCAN_RETENTION_DAYS`).

use super::blank::without_a_phone;
use super::event_queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

/// An event of a scan: when somebody scanned, and its number.
pub type OfScan = (Timestamp, i64);

/// The next events of scans before `cutoff`, in the order of the scans, beginning behind `after`.
pub fn due(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<OfScan>,
    cutoff: Timestamp,
) -> Result<Vec<OfScan>, Error> {
    Ok(event_queries::events_of_scans(
        conn, account, after, cutoff,
    )?)
}

/// Takes the phone out of them.
pub fn forget(
    conn: &mut DbConnection,
    account: &AccountId,
    events: &[OfScan],
) -> Result<(), Error> {
    let numbers: Vec<i64> = events.iter().map(|(_, number)| *number).collect();
    Ok(event_queries::empty_events(
        conn,
        account,
        &numbers,
        without_a_phone,
    )?)
}
