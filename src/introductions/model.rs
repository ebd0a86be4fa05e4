//! An introduction.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::introductions;
use crate::ids::{AccountId, ConversionId, CustomerId, ReferralId, Wanted};
use crate::money::{Cents, Currency};

text_enum! {
    /// How far an introduction has come. It never goes back.
    pub enum IntroductionStatus {
        /// The customer who was brought has signed up.
        Pending = "pending",
        /// The conditions of the reward are met.
        Qualified = "qualified",
        /// The customer who brought the other has the reward.
        Rewarded = "rewarded",
    }
}

/// One customer brought another.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = introductions, treat_none_as_default_value = false)]
pub struct Introduction {
    /// In whose account.
    pub account_id: AccountId,
    /// The signup.
    pub referral_id: ReferralId,
    /// Who brought …
    pub referrer_id: CustomerId,
    /// … whom.
    pub referred_id: CustomerId,
    /// When the conditions of the reward were met …
    pub qualified_at: Option<Timestamp>,
    /// … by what.
    pub conversion_id: Option<ConversionId>,
    /// When the reward was booked.
    pub rewarded_at: Option<Timestamp>,
    /// How much it was, in minor units or points. What was taken back later is in the ledger.
    pub reward_amount: Option<Cents>,
    /// Of what.
    pub reward_unit: Option<Currency>,
    /// When the signup was recorded.
    pub created_at: Timestamp,
}

impl Introduction {
    /// How far it has come.
    pub fn status(&self) -> IntroductionStatus {
        match (self.qualified_at, self.rewarded_at) {
            (_, Some(_)) => IntroductionStatus::Rewarded,
            (Some(_), None) => IntroductionStatus::Qualified,
            (None, None) => IntroductionStatus::Pending,
        }
    }
}

/// Which introductions.
#[derive(Debug, Clone, Default)]
pub struct IntroductionFilter {
    /// Only what this customer brought.
    pub referrer_id: Option<Wanted<CustomerId>>,
    /// Only whom this one is.
    pub referred_id: Option<Wanted<CustomerId>>,
}
