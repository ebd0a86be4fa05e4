//! Checks: texts are no longer than those that are taken, and objects are objects. On SQLite the tables of what comes in
//! crowds leave that to the types (docs/decisions/0018).

use super::difference_queries as differences;
use super::pointers::SCANS;
use super::report::Findings;
use super::steps::{Walk, list};
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

/// Of scans.
pub(super) fn of_scans(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(conn, account, SCANS, findings, differences::odd_scans)
}

/// Of signups.
pub(super) fn of_signups(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let walk = Walk::through("referrals");
    list(conn, account, walk, findings, differences::odd_signups)
}
