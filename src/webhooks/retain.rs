//! Verb: what became of events is forgotten after a while (`HANDBILL_DELIVERY_RETENTION_DAYS`), so that it does not grow
//! for ever. What is still to be tried stays.

use super::delivery_queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, EventId};

/// How many are deleted in one transaction, so that writers in between never wait long.
const BATCH: i64 = 500;

/// Deletes some of the account's deliveries that were last tried before `cutoff`. How many; 0: there are no more.
pub fn forget(
    conn: &mut DbConnection,
    account: &AccountId,
    cutoff: Timestamp,
) -> Result<usize, Error> {
    // An event is older than its deliveries, so these walk along the primary key.
    let end = EventId::first_at(cutoff);
    let mut forgotten = 0;
    for endpoint in super::queries::list_ids(conn, account)? {
        if forgotten == 0 {
            forgotten =
                delivery_queries::delete_old(conn, account, &endpoint, &end, cutoff, BATCH)?;
        }
    }
    Ok(forgotten)
}
