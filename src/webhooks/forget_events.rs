//! Verb: old events are forgotten (`HANDBILL_EVENT_RETENTION_DAYS`), as far as no enabled endpoint has still to get them.
//! The last event stays, so that whoever follows the feed goes on from there.

use super::queries::hold_furthest_behind;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::number::number;
use crate::events::queries::{delete_through, last_sequence, list_first};
use crate::ids::AccountId;

/// How many are deleted in one transaction, so that writers in between never wait long.
const BATCH: i64 = 500;

/// Deletes some of the account's events from before `cutoff`, the first in their order. How many; 0: there are no more.
pub fn forget_events(
    conn: &mut DbConnection,
    account: &AccountId,
    cutoff: Timestamp,
) -> Result<usize, Error> {
    number(conn, account)?;
    let last = last_sequence(conn, account)?;
    let needed = hold_furthest_behind(conn, account)?
        .unwrap_or(last)
        .min(last - 1);
    let first = list_first(conn, account, BATCH)?.into_iter();
    let old = first.take_while(|(sequence, at)| *sequence <= needed && *at < cutoff);
    match old.last() {
        None => Ok(0),
        Some((sequence, _)) => Ok(delete_through(conn, account, sequence)?),
    }
}
