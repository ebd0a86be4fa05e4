//! What the caps leave for a conversion whose commission is given again.

use super::background::{Asked, background};
use super::model::{Caps, Rule};
use super::queries;
use crate::clock::Timestamp;
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::error::Error;
use crate::money::BasisPoints;

/// How much more may stand under the caps of the rule by which the conversion was computed; none if it has no caps. The
/// ambassador's sales are held: see `background`.
pub fn room(conn: &mut DbConnection, conversion: &Conversion) -> Result<Option<i64>, Error> {
    let (account, program) = (&conversion.account_id, &conversion.program_id);
    let published = queries::find(conn, account, program, conversion.rule_version)?
        .ok_or_else(|| Error::internal("a conversion without its rule"))?;
    let caps = published.rule.caps;
    if caps == Caps::default() {
        return Ok(None);
    }
    // Only what the caps ask for is looked up.
    let only_caps = Rule {
        caps: caps.clone(),
        ..Rule::percent(BasisPoints::ZERO)
    };
    let asked = Asked {
        owner: &conversion.owner(),
        referral: &conversion.referral_id,
        currency: &conversion.currency,
        at: conversion.occurred_at,
        sales_before: conversion.occurred_at,
        earned_before: Timestamp::from_micros(i64::MAX),
    };
    let before = background(conn, &only_caps, asked)?;
    let of_referral = caps
        .per_referral
        .map(|most| most.get() - before.earned_by_referral);
    let of_ambassador = caps
        .per_ambassador
        .map(|cap| cap.amount.get() - before.earned_by_ambassador);
    let room = of_referral.into_iter().chain(of_ambassador).min();
    Ok(room.map(|room| room.max(0)))
}
