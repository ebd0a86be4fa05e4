//! Checks: histories lead where things stand.

use super::difference_queries as differences;
use super::report::Findings;
use super::steps::{Walk, list};
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

/// Every referral stands where its history leads, move by move.
pub(super) fn lead_to_referrals(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let walk = Walk::through("referrals");
    list(
        conn,
        account,
        walk,
        findings,
        differences::moves_of_referrals,
    )
}

/// Every earning stands where its history leads, move by move.
pub(super) fn lead_to_earnings(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let walk = Walk::through("earnings");
    list(
        conn,
        account,
        walk,
        findings,
        differences::moves_of_earnings,
    )
}

/// Every payout stands where its history leads, move by move.
pub(super) fn lead_to_payouts(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let walk = Walk::through("payouts");
    list(conn, account, walk, findings, differences::moves_of_payouts)
}
