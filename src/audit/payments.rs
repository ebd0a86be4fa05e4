//! Checks: payouts against their items, their transfers and their earnings.

use super::difference_queries as differences;
use super::report::Findings;
use super::steps::{Walk, list};
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

const PAYOUTS: Walk = Walk::through("payouts");
const ITEMS: Walk = Walk {
    table: "payout_items",
    key: "payout_id",
    rows: 500,
};
const EARNINGS: Walk = Walk::through("earnings");

/// Every payout is the sum of its items.
pub(super) fn are_their_items(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(
        conn,
        account,
        PAYOUTS,
        findings,
        differences::sums_of_payouts,
    )
}

/// An item is live exactly while its payout is on its way or has arrived.
pub(super) fn hold_what_they_pay(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(conn, account, ITEMS, findings, differences::live_items)
}

/// No earning is in two payouts at once.
pub(super) fn pay_nothing_twice(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(conn, account, EARNINGS, findings, differences::paid_twice)
}

/// Every item's transfers are those of the payout's status.
pub(super) fn booked_what_they_say(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(
        conn,
        account,
        ITEMS,
        findings,
        differences::transfers_of_items,
    )
}

/// Every transfer for a payout is of one of its items.
pub(super) fn said_what_they_booked(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(
        conn,
        account,
        EARNINGS,
        findings,
        differences::transfers_without_item,
    )
}

/// Every earning in a payout stands where the payout does.
pub(super) fn move_their_earnings(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(
        conn,
        account,
        ITEMS,
        findings,
        differences::earnings_in_payouts,
    )
}
