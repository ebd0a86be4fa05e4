//! What a rule would have paid for conversions that were. Pure: `history` loads them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::commission::{Background, Sale};
use super::model::Rule;
use crate::clock::Timestamp;
use crate::conversions::model::ConversionKind;
use crate::error::Error;
use crate::ids::{AmbassadorId, ConversionId, ReferralId};
use crate::money::{Cents, Currency};
use crate::text::OrderId;

/// How many conversions are shown one by one.
const SHOWN: usize = 100;

/// A conversion that was.
#[derive(Debug, Clone)]
pub struct Past {
    /// Which.
    pub conversion_id: ConversionId,
    /// The shop's name for it.
    pub order_id: OrderId,
    /// Who bought.
    pub referral_id: ReferralId,
    /// Who had recruited them.
    pub ambassador_id: AmbassadorId,
    /// What was paid.
    pub amount: Cents,
    /// Of which currency.
    pub currency: Currency,
    /// What was bought.
    pub kind: ConversionKind,
    /// When.
    pub occurred_at: Timestamp,
    /// The commission that was paid for it.
    pub was_paid: i64,
    /// What had come before *the first conversion of the list*, in the periods of the previewed rule that this
    /// conversion lies in. What comes in the list itself, the preview adds.
    pub before: Background,
}

/// What a rule would have paid.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// All of the conversions, by currency.
    pub totals: Vec<PreviewTotal>,
    /// The first hundred of them, one by one.
    #[schema(max_items = 100)]
    pub lines: Vec<PreviewLine>,
}

/// The conversions in one currency.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviewTotal {
    /// Which.
    pub currency: Currency,
    /// How many they were.
    #[schema(example = 120)]
    pub conversions: i64,
    /// What they were worth.
    #[schema(example = 660_000)]
    pub volume: i64,
    /// What the rule would have paid for them.
    #[schema(example = 66_000)]
    pub would_pay: i64,
    /// What was paid for them.
    #[schema(example = 52_800)]
    pub was_paid: i64,
    /// How many of them the rule could not have paid, as it has amounts in another currency.
    #[schema(example = 0)]
    pub refused: i64,
}

/// One conversion.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviewLine {
    /// Which.
    pub conversion_id: ConversionId,
    /// The shop's name for it.
    pub order_id: OrderId,
    /// What was paid.
    pub amount: Cents,
    /// Of which currency.
    pub currency: Currency,
    /// What the rule would have paid for it; null if it has amounts in another currency.
    #[schema(required, example = 550)]
    pub would_pay: Option<i64>,
    /// What was paid for it.
    #[schema(example = 440)]
    pub was_paid: i64,
}

/// Applies `rule` to one conversion after the other, as if it had been the program's when `past` began.
///
/// # Errors
/// What [`Rule::commission`] fails with, other than that the currency is another one.
pub fn preview(rule: &Rule, payout_currency: &Currency, past: &[Past]) -> Result<Preview, Error> {
    let mut memory = Memory::default();
    let mut totals: Vec<PreviewTotal> = Vec::new();
    let mut lines = Vec::new();
    for conversion in past {
        let sale = Sale {
            amount: conversion.amount,
            currency: &conversion.currency,
            kind: conversion.kind,
            occurred_at: conversion.occurred_at,
        };
        let before = memory.background(rule, conversion);
        let would_pay = match rule.commission(&sale, &before, payout_currency) {
            Ok(commission) => Some(commission.amount),
            Err(Error::Conflict { .. }) => None,
            Err(error) => return Err(error),
        };
        // What is refused is not booked, so it does not count for what comes later.
        if let Some(paid) = would_pay {
            memory.add(rule, payout_currency, conversion, paid);
        }
        total(&mut totals, &conversion.currency).add(conversion, would_pay);
        if lines.len() < SHOWN {
            lines.push(PreviewLine {
                conversion_id: conversion.conversion_id.clone(),
                order_id: conversion.order_id.clone(),
                amount: conversion.amount,
                currency: conversion.currency.clone(),
                would_pay,
                was_paid: conversion.was_paid,
            });
        }
    }
    totals.sort_by(|one, two| one.currency.as_str().cmp(two.currency.as_str()));
    Ok(Preview { totals, lines })
}

fn total<'a>(totals: &'a mut Vec<PreviewTotal>, currency: &Currency) -> &'a mut PreviewTotal {
    let known = totals.iter().position(|total| total.currency == *currency);
    let place = known.unwrap_or(totals.len());
    if known.is_none() {
        totals.push(PreviewTotal {
            currency: currency.clone(),
            conversions: 0,
            volume: 0,
            would_pay: 0,
            was_paid: 0,
            refused: 0,
        });
    }
    &mut totals[place]
}

impl PreviewTotal {
    fn add(&mut self, conversion: &Past, would_pay: Option<i64>) {
        self.conversions += 1;
        self.volume = self.volume.saturating_add(conversion.amount.get());
        self.was_paid = self.was_paid.saturating_add(conversion.was_paid);
        self.would_pay = self.would_pay.saturating_add(would_pay.unwrap_or(0));
        self.refused += i64::from(would_pay.is_none());
    }
}

/// What the conversions of the list so far add to the background of the later ones. Periods go by their first moment.
#[derive(Default)]
struct Memory<'a> {
    /// When each referral's first sale was, and what it has brought.
    referrals: BTreeMap<&'a ReferralId, (Timestamp, i64)>,
    /// How many sales an ambassador had, and what they were worth.
    sales: BTreeMap<(&'a AmbassadorId, Timestamp), (i64, i64)>,
    /// What an ambassador got.
    earned: BTreeMap<(&'a AmbassadorId, Timestamp), i64>,
}

impl<'a> Memory<'a> {
    fn background(&self, rule: &Rule, past: &'a Past) -> Background {
        let before = past.before;
        let referral = self.referrals.get(&past.referral_id).copied();
        let (tier, cap) = periods(rule, past);
        let (sales, volume) = self.sales.get(&tier).copied().unwrap_or_default();
        let earned = self.earned.get(&cap).copied().unwrap_or_default();
        Background {
            first_sale_of_referral: before
                .first_sale_of_referral
                .or(referral.map(|(first, _)| first)),
            sales_in_period: before.sales_in_period.saturating_add(sales),
            volume_in_period: before.volume_in_period.saturating_add(volume),
            earned_by_referral: before
                .earned_by_referral
                .saturating_add(referral.map_or(0, |(_, earned)| earned)),
            earned_by_ambassador: before.earned_by_ambassador.saturating_add(earned),
        }
    }

    fn add(&mut self, rule: &Rule, payout_currency: &Currency, past: &'a Past, paid: i64) {
        let first = (past.occurred_at, 0);
        let referral = self.referrals.entry(&past.referral_id).or_insert(first);
        referral.1 = referral.1.saturating_add(paid);
        let (tier, cap) = periods(rule, past);
        let sales = self.sales.entry(tier).or_default();
        sales.0 += 1;
        if past.currency == *payout_currency {
            sales.1 = sales.1.saturating_add(past.amount.get());
        }
        let earned = self.earned.entry(cap).or_default();
        *earned = earned.saturating_add(paid);
    }
}

/// The ambassador in the two periods that the conversion lies in: of the tiers, and of the cap.
fn periods<'a>(
    rule: &Rule,
    past: &'a Past,
) -> ((&'a AmbassadorId, Timestamp), (&'a AmbassadorId, Timestamp)) {
    let at = past.occurred_at;
    (
        (&past.ambassador_id, rule.tier_period().start(at)),
        (&past.ambassador_id, rule.cap_period().start(at)),
    )
}

#[cfg(test)]
mod tests;
