//! The conversions that a rule is tried on.

use super::background::{Asked, background};
use super::model::Rule;
use super::preview::Past;
use crate::clock::Timestamp;
use crate::conversions;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ProgramId};
use crate::parse::Complaint;

/// How many conversions a rule is tried on at most.
const MOST: usize = 50_000;

/// The program's conversions from one moment to before another, in the order in which they occurred, each with what
/// had come before `from` in the periods of `rule`.
///
/// # Errors
/// [`Error::Invalid`] if there are too many of them.
pub fn load(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
    rule: &Rule,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Past>, Error> {
    let limit = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let found = conversions::queries::list_of_period(conn, account, program, (from, until), limit)?;
    if found.len() > MOST {
        let rule = format!("must be chosen so that there are at most {MOST} conversions");
        return Err(Error::field("to", Complaint::new("too_many", rule)));
    }
    let mut past = Vec::with_capacity(found.len());
    for conversion in found {
        let asked = Asked {
            owner: &conversion.owner(),
            referral: &conversion.referral_id,
            currency: &conversion.currency,
            at: conversion.occurred_at,
            sales_before: from,
            earned_before: from,
        };
        let was_paid = conversion.payable().get();
        past.push(Past {
            before: background(conn, rule, asked)?,
            conversion_id: conversion.id,
            order_id: conversion.order_id,
            referral_id: conversion.referral_id,
            ambassador_id: conversion.ambassador_id,
            amount: conversion.amount,
            currency: conversion.currency,
            kind: conversion.kind,
            occurred_at: conversion.occurred_at,
            was_paid,
        });
    }
    Ok(past)
}
