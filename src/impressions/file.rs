//! Verb: the scans of a while are filed under their poster, ambassador and program.
//!
//! Lists of one poster, ambassador or program need an index each, and writing three indexes in the order in which
//! phones come costs several times the scan. Filed together and sorted they cost a fraction of it. Until then a
//! list looks through what is not filed yet (see `queries::list`), so it is complete at every moment.

use super::{filed_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ImpressionId};

/// Files the account's next scans, at most `most`, before `settled`, behind which some may still be on their way. Whether
/// there were any.
pub fn file(
    conn: &mut DbConnection,
    account: &AccountId,
    settled: Option<Timestamp>,
    most: i64,
) -> Result<bool, Error> {
    let filed = filed_queries::filed_up_to(conn, account)?;
    let end = settled.map(ImpressionId::first_at);
    let next = queries::last_of_stretch(conn, account, filed.as_ref(), end.as_ref(), most)?;
    let Some(last) = next else { return Ok(false) };
    filed_queries::file(conn, account, filed.as_ref(), &last)?;
    Ok(true)
}

/// Scans from now on have ids from now on. If the clock was put back while no server ran, they stand before some that are
/// filed: those are looked through with what is not filed, and filed once more. How many accounts that concerns.
pub fn reopen(conn: &mut DbConnection, now: Timestamp) -> Result<usize, Error> {
    Ok(filed_queries::reopen(conn, &ImpressionId::first_at(now))?)
}
