//! Checks: earnings and orders against what they came of: each other, signups, rules, refunds, introductions.

use super::origin_queries as differences;
use super::queries::Found;
use super::report::Findings;
use super::steps::{Stretch, Walk, list};
use crate::db::{DbConnection, QueryResult};
use crate::error::Error;
use crate::ids::AccountId;

const EARNINGS: Walk = Walk::through("earnings");
const CONVERSIONS: Walk = Walk::through("conversions");
const AMBASSADORS: Walk = Walk {
    table: "earnings",
    key: "ambassador_id",
    rows: 500,
};

type Differences = fn(&mut DbConnection, &AccountId, &Stretch) -> QueryResult<Vec<Found>>;

/// Every earning says the same as its order, and is of its referral's ambassador.
pub(super) fn agree_with_orders(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    all(
        conn,
        account,
        EARNINGS,
        findings,
        &[
            differences::of_other_orders,
            differences::of_other_ambassadors,
            differences::without_rule,
        ],
    )
}

/// Every order is of its referral's ambassador, and was computed by a rule that is there.
pub(super) fn agree_with_signups(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    all(
        conn,
        account,
        CONVERSIONS,
        findings,
        &[
            differences::orders_of_other_ambassadors,
            differences::orders_without_rule,
        ],
    )
}

/// Every earning that was given again is in the place of one, and every reward is an introduction's.
pub(super) fn have_a_reason(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    all(
        conn,
        account,
        EARNINGS,
        findings,
        &[
            differences::given_again,
            differences::rewards_without_introduction,
        ],
    )
}

/// Every bonus for a number of referrals stands once at most.
pub(super) fn are_bonuses_once(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(conn, account, AMBASSADORS, findings, differences::bonuses)
}

/// Every transfer that names a refund is for one of its order, and none but those for payouts and refunds names anything.
pub(super) fn said_what_took_them_back(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    list(
        conn,
        account,
        EARNINGS,
        findings,
        differences::transfers_without_refund,
    )
}

/// Several comparisons of the same rows.
fn all(
    conn: &mut DbConnection,
    account: &AccountId,
    walk: Walk,
    findings: &mut Findings,
    differences: &[Differences],
) -> Result<(), Error> {
    list(conn, account, walk, findings, |conn, account, stretch| {
        let mut found = Vec::new();
        for look in differences {
            found.extend(look(conn, account, stretch)?);
        }
        Ok(found)
    })
}
