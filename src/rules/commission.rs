//! What a rule pays for a sale, and why. Pure: what came before the sale is told, nothing is looked up.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Applies, Caps, Period, Rule, Terms, Tier, TierBy};
use crate::clock::Timestamp;
use crate::conversions::model::ConversionKind;
use crate::error::Error;
use crate::money::{BasisPoints, Cents, Currency, share};

/// What is paid for.
#[derive(Debug, Clone, Copy)]
pub struct Sale<'a> {
    /// What was paid, in minor units.
    pub amount: Cents,
    /// Of which currency.
    pub currency: &'a Currency,
    /// What was bought.
    pub kind: ConversionKind,
    /// When.
    pub occurred_at: Timestamp,
}

/// What came before the sale, as the rule sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Background {
    /// When the referral's first sale was, if this is not the first.
    pub first_sale_of_referral: Option<Timestamp>,
    /// How many conversions the ambassador had before, in [`Rule::tier_period`].
    pub sales_in_period: i64,
    /// What those were worth, as far as they were in the program's currency.
    pub volume_in_period: i64,
    /// What the referral has brought the ambassador.
    pub earned_by_referral: i64,
    /// What the ambassador has got, in [`Rule::cap_period`].
    pub earned_by_ambassador: i64,
}

/// What is paid for a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Commission {
    /// Minor units of the sale's currency; 0 for none.
    #[schema(minimum = 0)]
    pub amount: i64,
    /// Why it is that much, in order.
    pub steps: Vec<Step>,
}

/// A step on the way from a sale to its commission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Step {
    /// Stable and snake_case, for programs.
    #[schema(example = "percent")]
    pub what: &'static str,
    /// A sentence, for people.
    #[schema(example = "10% of 55.00 USD is 5.50 USD")]
    pub text: String,
    /// The numbers of the sentence: amounts in minor units, rates in basis points, moments in seconds since 1970.
    #[schema(value_type = Object, example = json!({ "of": 5500, "basis_points": 1000, "amount": 550 }))]
    pub figures: BTreeMap<&'static str, i64>,
}

impl Rule {
    /// What is paid for `sale`, in the sale's currency.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the rule has amounts in it and the sale is in another currency than these.
    pub fn commission(
        &self,
        sale: &Sale,
        before: &Background,
        payout_currency: &Currency,
    ) -> Result<Commission, Error> {
        if self.compares_payments() && sale.currency != payout_currency {
            return Err(Error::Conflict {
                code: "rule_currency",
                message: format!(
                    "The program's rule has amounts in {} in it, so it cannot tell what a sale in {} pays; nothing was booked",
                    payout_currency.as_str(),
                    sale.currency.as_str()
                ),
            });
        }
        let mut steps: Vec<Step> = self.not_paid(sale, before).into_iter().collect();
        if !steps.is_empty() {
            return Ok(Commission { amount: 0, steps });
        }
        let uncapped = self.commission.pay(sale, before, &mut steps);
        let amount = self.caps.hold(uncapped, sale, before, &mut steps);
        Ok(Commission { amount, steps })
    }

    /// Why nothing at all is paid for the sale.
    fn not_paid(&self, sale: &Sale, before: &Background) -> Option<Step> {
        if !self.kinds.contains(&sale.kind) {
            let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
            let (kinds, kind) = (kinds.join(", "), sale.kind.as_str());
            let text = format!("The rule pays for {kinds}; this is a {kind}");
            return Some(step("kind", text, []));
        }
        let first = before.first_sale_of_referral?;
        let at = [("first_purchase_at", first.micros().div_euclid(1_000_000))];
        match self.applies {
            Applies::EveryPurchase => None,
            Applies::FirstPurchase => {
                let text =
                    format!("The rule pays for a referral's first purchase; that was at {first}");
                Some(step("first_purchase", text, at))
            }
            Applies::Months { months } => {
                let end = first.plus_months(months);
                let text = format!(
                    "The rule pays for {months} months from a referral's first purchase; they ended at {end}"
                );
                (sale.occurred_at >= end).then(|| step("months", text, at))
            }
        }
    }
}

impl Terms {
    /// What is paid as far as no cap is in the way. Never more than the sale: no rate is above 100%, and a flat amount
    /// is paid for no order that is smaller.
    fn pay(&self, sale: &Sale, before: &Background, steps: &mut Vec<Step>) -> i64 {
        match self {
            Self::Percent { basis_points } => percent(*basis_points, sale, steps),
            Self::Flat {
                amount,
                minimum_order,
            } => {
                let written = sale.currency.written(minimum_order.get());
                let figures = [
                    ("minimum_order", minimum_order.get()),
                    ("amount", amount.get()),
                ];
                if sale.amount < *minimum_order {
                    let text = format!("The rule pays for orders of at least {written}");
                    steps.push(step("minimum_order", text, figures));
                    return 0;
                }
                let paid = sale.currency.written(amount.get());
                let text = format!("The rule pays {paid} for an order of at least {written}");
                steps.push(step("flat", text, figures));
                amount.get()
            }
            Self::Tiers { by, period, tiers } => match by {
                TierBy::Conversions => by_conversions(tiers, *period, sale, before, steps),
                TierBy::Volume => by_volume(tiers, *period, sale, before, steps),
            },
        }
    }
}

/// A hundred percent, in basis points.
const WHOLE: i64 = 10_000;

fn percent(rate: BasisPoints, sale: &Sale, steps: &mut Vec<Step>) -> i64 {
    let of = sale.amount.get();
    let amount = share(of, rate.get(), WHOLE);
    let (all, paid) = (sale.currency.written(of), sale.currency.written(amount));
    let rounded = rounded((of * rate.get()) % WHOLE);
    let figures = [("of", of), ("basis_points", rate.get()), ("amount", amount)];
    let text = format!("{rate} of {all} is {paid}{rounded}");
    steps.push(step("percent", text, figures));
    amount
}

/// The whole order at one rate.
fn by_conversions(
    tiers: &[Tier],
    period: Period,
    sale: &Sale,
    before: &Background,
    steps: &mut Vec<Step>,
) -> i64 {
    let sales = before.sales_in_period;
    let reached = tiers.iter().rev().find(|tier| tier.from <= sales);
    // The first tier begins at 0; should less than nothing have come before, it is the first all the same.
    let Some(tier) = reached.or(tiers.first()) else {
        return 0;
    };
    let text = format!(
        "After {sales} conversions {} the tier from {} on pays {}",
        during(period),
        tier.from,
        tier.basis_points
    );
    let figures = [
        ("conversions_before", sales),
        ("from", tier.from),
        ("basis_points", tier.basis_points.get()),
    ];
    steps.push(step("tier", text, figures));
    percent(tier.basis_points, sale, steps)
}

/// Each slice of the order at the rate of the tier it falls into; summed exactly, rounded once.
fn by_volume(
    tiers: &[Tier],
    period: Period,
    sale: &Sale,
    before: &Background,
    steps: &mut Vec<Step>,
) -> i64 {
    let start = before.volume_in_period.max(0);
    let end = start.saturating_add(sale.amount.get());
    // In hundredths of a percent of a minor unit: at most the largest amount times 10,000, which fits.
    let mut exact = 0;
    for (n, tier) in tiers.iter().enumerate() {
        let next = tiers.get(n + 1).map_or(i64::MAX, |next| next.from);
        let slice = end.min(next) - start.max(tier.from);
        if slice <= 0 {
            continue;
        }
        exact += slice * tier.basis_points.get();
        let text = format!(
            "{} at {}: what lies from {} on, after {} {}",
            sale.currency.written(slice),
            tier.basis_points,
            sale.currency.written(tier.from),
            sale.currency.written(start),
            during(period)
        );
        let figures = [
            ("of", slice),
            ("from", tier.from),
            ("volume_before", start),
            ("basis_points", tier.basis_points.get()),
        ];
        steps.push(step("slice", text, figures));
    }
    let amount = share(exact, 1, WHOLE);
    let (paid, rounded) = (sale.currency.written(amount), rounded(exact % WHOLE));
    let text = format!("Together that is {paid}{rounded}");
    steps.push(step("sum", text, [("amount", amount)]));
    amount
}

impl Caps {
    /// What the caps leave of a commission.
    fn hold(&self, amount: i64, sale: &Sale, before: &Background, steps: &mut Vec<Step>) -> i64 {
        let referral = self.per_referral.map(|most| {
            let why = "per referral".to_owned();
            ("cap_per_referral", why, most, before.earned_by_referral)
        });
        let ambassador = self.per_ambassador.as_ref().map(|cap| {
            let why = format!("per ambassador {}", during(cap.period));
            (
                "cap_per_ambassador",
                why,
                cap.amount,
                before.earned_by_ambassador,
            )
        });
        let mut left = amount;
        for (what, why, most, earned) in referral.into_iter().chain(ambassador) {
            let room = (most.get() - earned.max(0)).max(0);
            if left > room {
                let [cap, free] = [most.get(), room].map(|units| sale.currency.written(units));
                let text = format!("The rule pays at most {cap} {why}, of which {free} are left");
                let figures = [("cap", most.get()), ("earned", earned), ("amount", room)];
                steps.push(step(what, text, figures));
                left = room;
            }
        }
        left
    }
}

fn during(period: Period) -> &'static str {
    match period {
        Period::Month => "in the month",
        Period::Year => "in the year",
        Period::AllTime => "in all",
    }
}

fn rounded(rest: i64) -> &'static str {
    match rest {
        0 => "",
        _ => ", rounded down",
    }
}

fn step<const N: usize>(
    what: &'static str,
    text: String,
    figures: [(&'static str, i64); N],
) -> Step {
    Step {
        what,
        text,
        figures: figures.into(),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
