//! Checks: introductions against what was booked for them, and coupons against the orders they were used for.

use super::difference_queries as differences;
use super::report::Findings;
use super::steps::{Walk, list};
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

const INTRODUCTIONS: Walk = Walk {
    table: "introductions",
    key: "referral_id",
    rows: 500,
};
const COUPONS: Walk = Walk {
    table: "coupons",
    key: "referral_id",
    rows: 500,
};

/// Every reward of an introduction is an earning, or the commission that took its place, and stands once at most.
pub(super) fn booked_their_rewards(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(conn, account, INTRODUCTIONS, findings, differences::rewards)
}

/// Every coupon was used for the one order that says so.
pub(super) fn used_their_coupons(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(conn, account, COUPONS, findings, differences::coupons)
}
