//! Checks: conversions against their refunds, their computation and their earnings.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::difference_queries as differences;
use super::queries;
use super::report::Findings;
use super::steps::{self, Walk};
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

const CONVERSIONS: Walk = Walk::through("conversions");
const REFUNDS: Walk = Walk::through("refunds");

/// Every conversion is refunded by what its refunds add up to.
pub(super) fn are_refunded_by_their_refunds(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::list(conn, account, CONVERSIONS, findings, differences::refunded)
}

/// Every refund is applied to its order, and waits only for one that has not come.
pub(super) fn meet_their_refunds(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::list(
        conn,
        account,
        REFUNDS,
        findings,
        differences::refunds_of_orders,
    )
}

/// Every refund took back what its transfers add up to.
pub(super) fn booked_their_refunds(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let differences = differences::transfers_of_refunds;
    steps::list(conn, account, REFUNDS, findings, differences)
}

/// Every commission is what the stored steps of its computation end with, and no more than the order.
pub(super) fn paid_what_was_computed(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::each(
        conn,
        account,
        CONVERSIONS,
        findings,
        |conn, stretch, found| {
            for conversion in queries::conversions(conn, account, stretch)? {
                let (kept, about) = (conversion.payable(), conversion.id.as_str());
                found.compare(about, "commission", kept.get(), computed(&conversion));
                if let Some(of) = computed_of(&conversion) {
                    found.compare(about, "amount", conversion.amount.get(), of);
                }
                if kept > conversion.amount {
                    found.differs(about, "its commission is more than the order");
                }
            }
            Ok(())
        },
    )
}

/// What the steps of a computation end with. Those that say why nothing is paid are the last ones.
fn computed(conversion: &Conversion) -> i64 {
    let steps: Vec<Value> = serde_json::from_str(&conversion.steps).unwrap_or_default();
    let Some(last) = steps.last() else { return 0 };
    match last["what"].as_str() {
        Some("minimum_order") => 0,
        _ => last["figures"]["amount"].as_i64().unwrap_or(0),
    }
}

/// Of what amount the computation was, as far as its steps say: a rate is of the whole, slices add up to it.
fn computed_of(conversion: &Conversion) -> Option<i64> {
    let steps: Vec<Value> = serde_json::from_str(&conversion.steps).unwrap_or_default();
    let of = |step: &Value| step["figures"]["of"].as_i64();
    steps.iter().filter_map(of).reduce(|one, other| one + other)
}

/// What stands of an order's commission is its share of what was not refunded, and nothing if the referral is rejected.
pub(super) fn stand_as_far_as_they_were_kept(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::each(
        conn,
        account,
        CONVERSIONS,
        findings,
        |conn, stretch, found| {
            let standing = queries::standing_of_conversions(conn, account, stretch)?;
            let standing: HashMap<_, i64> = standing.into_iter().collect();
            let rejected = queries::conversions_of_rejected(conn, account, stretch)?;
            let rejected: HashSet<_> = rejected.into_iter().collect();
            for conversion in queries::conversions(conn, account, stretch)? {
                let due = match rejected.contains(&conversion.id) {
                    true => 0,
                    false => conversion.due(),
                };
                let about = conversion.id.as_str().to_owned();
                let stands = standing.get(&Some(conversion.id)).copied().unwrap_or(0);
                found.compare(&about, "what stands of its commission", stands, due);
            }
            Ok(())
        },
    )
}
