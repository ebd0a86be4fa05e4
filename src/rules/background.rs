//! What came before a sale, as far as a rule asks for it.

use super::commission::Background;
use super::model::{Rule, Terms};
use crate::clock::Timestamp;
use crate::conversions;
use crate::db::{DbConnection, QueryResult, name};
use crate::ids::ReferralId;
use crate::ledger::model::Owner;
use crate::money::Currency;

/// A sale whose background is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose commission it would be.
    pub owner: &'a Owner,
    /// Who bought.
    pub referral: &'a ReferralId,
    /// In what.
    pub currency: &'a Currency,
    /// When.
    pub at: Timestamp,
    /// Only sales before this count.
    pub sales_before: Timestamp,
    /// Only commissions on sales before this count, and only sales before this can have been the first.
    pub earned_before: Timestamp,
}

/// Holds an ambassador's sales until the transaction ends. Who counts what came before a sale does so, so that of two at
/// once the second sees the first: tiers look at all that the ambassador sold, caps at what stands of it.
pub fn hold_sales(conn: &mut DbConnection, owner: &Owner) -> QueryResult<()> {
    let parts = [
        &owner.account_id.text(),
        "sales",
        owner.ambassador_id.as_str(),
    ];
    name::hold(conn, &parts)
}

/// Looks it up.
pub fn background(
    conn: &mut DbConnection,
    rule: &Rule,
    asked: Asked<'_>,
) -> QueryResult<Background> {
    let Asked {
        owner,
        referral,
        currency,
        at,
        ..
    } = asked;
    let account = &owner.account_id;
    let (sales_in_period, volume_in_period) = match rule.commission {
        Terms::Tiers { period, .. } if period.start(at) < asked.sales_before => {
            let before = (period.start(at), asked.sales_before);
            conversions::queries::volume(conn, account, &owner.ambassador_id, currency, before)?
        }
        _ => (0, 0),
    };
    let earned_by_referral = match rule.caps.per_referral {
        Some(_) => {
            let before = asked.earned_before;
            conversions::queries::earned_by_referral(conn, account, referral, currency, before)?
        }
        None => 0,
    };
    let earned_by_ambassador = match &rule.caps.per_ambassador {
        Some(cap) if cap.period.start(at) < asked.earned_before => {
            let until = cap.period.end(at).min(asked.earned_before);
            let period = (cap.period.start(at), until);
            conversions::queries::earned_by_ambassador(conn, owner, currency, period)?
        }
        _ => 0,
    };
    // Whatever was recorded before this sale makes it a later one, also if it is reported late: only one is the first.
    let before = asked.earned_before;
    Ok(Background {
        first_sale_of_referral: conversions::queries::first_of_referral(
            conn, account, referral, before,
        )?,
        sales_in_period,
        volume_in_period,
        earned_by_referral,
        earned_by_ambassador,
    })
}
