//! A rule, as plain data, and the versions of a program's rule. `read` makes rules from JSON, `commission` applies them.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;

use super::reward::Reward;
use crate::clock::Timestamp;
use crate::conversions::model::ConversionKind;
use crate::db::columns::{stored_as_text, text_enum};
use crate::db::schema::commission_rules;
use crate::ids::{AccountId, ApiKeyId, ProgramId};
use crate::money::{BasisPoints, Cents};
use crate::parse::Complaint;

text_enum! {
    /// What a count or a cap begins anew with, in UTC.
    pub enum Period {
        /// Every calendar month.
        Month = "month",
        /// Every calendar year.
        Year = "year",
        /// Never.
        AllTime = "all_time",
    }
}

impl Period {
    /// When the period that `at` lies in began.
    pub fn start(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Month => at.start_of_month(),
            Self::Year => at.start_of_year(),
            Self::AllTime => Timestamp::from_micros(0),
        }
    }

    /// When the one after the period that `at` lies in begins.
    pub fn end(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Month => at.start_of_month().plus_months(1),
            Self::Year => at.start_of_year().plus_months(12),
            Self::AllTime => Timestamp::from_micros(i64::MAX),
        }
    }
}

text_enum! {
    /// What leads from one tier to the next.
    pub enum TierBy {
        /// How many conversions the ambassador had before in the period. The whole order is paid at one rate.
        Conversions = "conversions",
        /// What those were worth together. Each slice of the order is paid at the rate of the tier it falls into.
        Volume = "volume",
    }
}

/// What a program pays for a conversion. Amounts are whole minor units of the program's `payout_currency`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)] // for the OpenAPI document; `read` does it
#[schema(example = json!({
    "commission": { "type": "percent", "basis_points": 1000 }, "applies": { "to": "months", "months": 12 },
    "kinds": ["purchase", "subscription", "renewal"],
    "caps": { "per_referral": 10000, "per_ambassador": { "amount": 50000, "period": "month" } },
    "bonuses": [{ "verified_referrals": 10, "amount": 5000 }]
}))]
pub struct Rule {
    /// How much.
    pub commission: Terms,
    /// Which of a referral's purchases; every one when left out.
    #[schema(required = false)]
    pub applies: Applies,
    /// What kinds of conversions; all when left out.
    #[schema(required = false, min_items = 1, max_items = 3)]
    pub kinds: Vec<ConversionKind>,
    /// Where it ends; nowhere when left out.
    #[schema(required = false)]
    pub caps: Caps,
    /// What an ambassador gets besides, once, when so many referrals are verified; fewest first.
    #[schema(required = false, max_items = 20)]
    pub bonuses: Vec<Bonus>,
    /// What a customer gets for another who qualifies; nothing when left out. Only the program for customers has one.
    #[schema(required = false)]
    pub reward: Option<Reward>,
}

/// How much a conversion pays.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Terms {
    /// A share of the order.
    Percent {
        /// Hundredths of a percent.
        #[serde(serialize_with = "number")]
        #[schema(value_type = i64, minimum = 0, maximum = 10_000, example = 1000)]
        basis_points: BasisPoints,
    },
    /// The same for every order that is large enough.
    Flat {
        /// What is paid.
        #[schema(minimum = 1)]
        amount: Cents,
        /// What the order must be worth; the amount when left out, and never less.
        #[schema(required = false, minimum = 1)]
        minimum_order: Cents,
    },
    /// A rate that depends on what the ambassador sold before.
    Tiers {
        /// What is counted.
        by: TierBy,
        /// In which time it is counted.
        period: Period,
        /// The tiers; the first begins at 0, each later one further up.
        #[schema(min_items = 1, max_items = 20)]
        tiers: Vec<Tier>,
    },
}

/// A rate, and from where on it holds.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// So many conversions, or so much volume, before.
    #[schema(minimum = 0, maximum = 99_999_999_999_i64, example = 10)]
    pub from: i64,
    /// Hundredths of a percent.
    #[serde(serialize_with = "number")]
    #[schema(value_type = i64, minimum = 0, maximum = 10_000, example = 800)]
    pub basis_points: BasisPoints,
}

/// Which of a referral's purchases are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Applies {
    /// All of them.
    EveryPurchase,
    /// The first.
    FirstPurchase,
    /// The first, and those within so many calendar months of it.
    Months {
        /// How many.
        #[schema(minimum = 1, maximum = 1200, example = 12)]
        months: u32,
    },
}

/// Where commissions end. Bonuses are paid besides.
#[derive(Debug, Clone, PartialEq, Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// The most that one referral brings in all.
    #[schema(minimum = 1)]
    pub per_referral: Option<Cents>,
    /// The most that an ambassador gets in a period.
    pub per_ambassador: Option<AmbassadorCap>,
}

/// The most that an ambassador gets in a period.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmbassadorCap {
    /// The most.
    #[schema(minimum = 1)]
    pub amount: Cents,
    /// In which time.
    pub period: Period,
}

/// What an ambassador gets once.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bonus {
    /// When the ambassador's referral with this number is verified.
    #[schema(minimum = 1, maximum = 99_999_999_999_i64, example = 10)]
    pub verified_referrals: i64,
    /// How much.
    #[schema(minimum = 1)]
    pub amount: Cents,
}

impl Rule {
    /// A share of every order, and nothing else.
    pub fn percent(basis_points: BasisPoints) -> Self {
        Self {
            commission: Terms::Percent { basis_points },
            applies: Applies::EveryPurchase,
            kinds: ConversionKind::ALL.to_vec(),
            caps: Caps::default(),
            bonuses: Vec::new(),
            reward: None,
        }
    }

    /// The rate, if it is one and the same for all orders that are paid.
    pub fn rate(&self) -> Option<BasisPoints> {
        match self.commission {
            Terms::Percent { basis_points } => Some(basis_points),
            Terms::Flat { .. } | Terms::Tiers { .. } => None,
        }
    }

    /// In which time the ambassador's conversions are counted before a sale. Where nothing depends on them, the
    /// shortest.
    pub fn tier_period(&self) -> Period {
        match self.commission {
            Terms::Tiers { period, .. } => period,
            Terms::Percent { .. } | Terms::Flat { .. } => Period::Month,
        }
    }

    /// In which time the ambassador's commissions are summed up before a sale. Where nothing depends on them, the
    /// shortest.
    pub fn cap_period(&self) -> Period {
        let cap = self.caps.per_ambassador.as_ref();
        cap.map_or(Period::Month, |cap| cap.period)
    }

    /// What the ambassador gets besides when the referral that is the `verified`th is verified.
    pub fn bonus_at(&self, verified: i64) -> Option<Cents> {
        let bonus = self
            .bonuses
            .iter()
            .find(|bonus| bonus.verified_referrals == verified);
        bonus.map(|bonus| bonus.amount)
    }

    /// Whether orders are compared with amounts, which only those in the amounts' currency can be.
    pub fn has_amounts(&self) -> bool {
        let in_terms = match self.commission {
            Terms::Percent { .. } => false,
            Terms::Flat { .. } => true,
            Terms::Tiers { by, .. } => by == TierBy::Volume,
        };
        in_terms || self.caps != Caps::default()
    }
}

/// A rule as a program published it.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = commission_rules, treat_none_as_default_value = false)]
pub struct RuleVersion {
    /// Whose it is.
    pub account_id: AccountId,
    /// The program that pays by it.
    pub program_id: ProgramId,
    /// 1, 2, 3 …
    pub version: i64,
    /// What was published.
    #[diesel(serialize_as = RuleText, deserialize_as = RuleText)]
    pub rule: Rule,
    /// When.
    pub created_at: Timestamp,
    /// With which key; none, if the program is older than its rules.
    pub created_by: Option<ApiKeyId>,
}

/// A rule as it is stored: its JSON, every key of it there.
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct RuleText(CompactString);

stored_as_text!(RuleText);

impl RuleText {
    fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

impl From<Rule> for RuleText {
    fn from(rule: Rule) -> Self {
        // A struct of numbers and words always has a JSON; if not, the database refuses the empty text.
        Self(serde_json::to_string(&rule).unwrap_or_default().into())
    }
}

impl TryFrom<RuleText> for Rule {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn try_from(text: RuleText) -> Result<Self, Self::Error> {
        let value: Value = serde_json::from_str(text.as_str())?;
        Self::read(Some(&value), "rule").map_err(|wrong| format!("a stored rule: {wrong:?}").into())
    }
}

/// A rate as the number it is; elsewhere on the wire rates are percentages.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn number<S: Serializer>(rate: &BasisPoints, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(rate.get())
}
