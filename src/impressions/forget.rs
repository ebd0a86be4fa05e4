//! Verb: old scans lose what is personal about them (`HANDBILL_SCAN_RETENTION_DAYS`). The scan itself stays
//! and goes on counting.

use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ImpressionId};

/// How many scans are looked at in one transaction, so that writers in between never wait long.
const BATCH: i64 = 500;

/// A stretch of an account's scans that was gone through.
#[derive(Debug)]
pub struct Stretch {
    /// Its last scan; the next stretch begins behind it.
    pub last: ImpressionId,
    /// How many scans in it had something to forget.
    pub forgotten: usize,
}

/// Goes through the next stretch of the account's scans before `cutoff`, beginning behind `after`. `None`: there
/// are no more. Ids sort by the time of the scan, so this walks along the primary key.
pub fn forget(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&ImpressionId>,
    cutoff: Timestamp,
) -> Result<Option<Stretch>, Error> {
    let end = ImpressionId::first_at(cutoff);
    let Some(last) = queries::last_of_stretch(conn, account, after, Some(&end), BATCH)? else {
        return Ok(None);
    };
    let forgotten = queries::forget(conn, account, after, &last)?;
    Ok(Some(Stretch { last, forgotten }))
}
