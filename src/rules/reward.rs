//! What a customer gets for bringing another, and on which conditions. Pure.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::Rule;
use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::money::{Cents, Currency};

text_enum! {
    /// What a reward is counted in.
    pub enum RewardUnit {
        /// Minor units of the program's payout currency.
        Money = "money",
        /// Points, which are never mixed with money and never paid out.
        Points = "points",
    }
}

/// What a customer gets for another who qualifies, once.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)] // for the OpenAPI document; `read` does it
#[schema(as = RuleReward, example = json!({
    "type": "money", "amount": 750, "minimum_first_payment": 2000, "window_days": 30
}))]
pub struct Reward {
    /// What it is counted in.
    #[serde(rename = "type")]
    pub unit: RewardUnit,
    /// How much.
    #[schema(minimum = 1)]
    pub amount: Cents,
    /// What the other's first payment must be worth, in minor units of the program's payout currency; anything when left
    /// out. Only the first payment is looked at.
    #[schema(minimum = 1)]
    pub minimum_first_payment: Option<Cents>,
    /// Within how many days after the signup it must have been made; at any time when left out.
    #[schema(minimum = 1, maximum = 3650)]
    pub window_days: Option<i64>,
}

impl Reward {
    /// What it is counted in, in a program that pays in `currency`.
    pub fn unit(&self, currency: &Currency) -> Currency {
        match self.unit {
            RewardUnit::Money => currency.clone(),
            RewardUnit::Points => Currency::points(),
        }
    }

    /// Whether a first payment of which `kept` was not given back meets the conditions.
    pub fn is_met(&self, kept: i64, signed_up_at: Timestamp, paid_at: Timestamp) -> bool {
        let end = |days: i64| signed_up_at.plus_seconds(days.saturating_mul(86_400));
        self.is_due(kept) && self.window_days.is_none_or(|days| paid_at <= end(days))
    }

    /// Whether it stands when so much of the first payment was not given back.
    pub fn is_due(&self, kept: i64) -> bool {
        kept >= self.minimum_first_payment.map_or(1, Cents::get)
    }
}

impl Rule {
    /// Whether the reward is money, or compares payments with money: then its amounts are of one currency.
    pub fn rewards_with_money(&self) -> bool {
        self.reward.as_ref().is_some_and(|reward| {
            reward.unit == RewardUnit::Money || reward.minimum_first_payment.is_some()
        })
    }

    /// Whether a sale can only be judged in the amounts' currency.
    pub fn compares_payments(&self) -> bool {
        let reward = self.reward.as_ref();
        self.has_amounts() || reward.is_some_and(|reward| reward.minimum_first_payment.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Parse;

    #[test]
    fn conditions_are_a_least_payment_and_a_last_moment() {
        let reward = Reward {
            unit: RewardUnit::Points,
            amount: Cents::try_from(500).unwrap(),
            minimum_first_payment: Some(Cents::try_from(2000).unwrap()),
            window_days: Some(30),
        };
        let signup = Timestamp::parse("2024-01-01T12:00:00Z").unwrap();
        for (kept, at, met) in [
            (2000, "2024-01-01T12:00:00Z", true),
            (1999, "2024-01-01T12:00:00Z", false),
            (2000, "2024-01-31T12:00:00Z", true),
            (2000, "2024-01-31T12:00:01Z", false),
        ] {
            let at = Timestamp::parse(at).unwrap();
            assert_eq!(reward.is_met(kept, signup, at), met, "{kept} {at}");
        }
        let anything = Reward {
            minimum_first_payment: None,
            window_days: None,
            ..reward
        };
        assert!(anything.is_due(1) && !anything.is_due(0));
        assert_eq!(anything.unit(&Currency::usd()), Currency::points());
    }
}
