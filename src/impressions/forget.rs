//! Verb: old scans lose what is personal about them (`HANDBILL_SCAN_RETENTION_DAYS`). The scan itself stays
//! and goes on counting.

use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;

/// How many scans are forgotten in one transaction, so that writers in between never wait long.
const BATCH: i64 = 500;

/// Forgets a batch of scans before `cutoff`. The number forgotten; less than a full batch means done.
pub fn forget(conn: &mut DbConnection, cutoff: Timestamp) -> Result<usize, Error> {
    let old = queries::list_personal(conn, cutoff, BATCH)?;
    for (account, id) in &old {
        queries::forget(conn, account, id)?;
    }
    Ok(old.len())
}
