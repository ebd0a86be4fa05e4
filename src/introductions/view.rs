//! An introduction as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Introduction, IntroductionStatus};
use crate::clock::Timestamp;
use crate::ids::{ConversionId, CustomerId, ReferralId};
use crate::money::{Cents, Currency};

/// One customer brought another.
#[derive(Serialize, ToSchema)]
#[schema(as = Introduction, example = json!({
    "id": "ref_123abc", "referrer_id": "cust_0h5m8k2q9sx7v3n1b6tz", "referred_id": "cust_0h5m8k2q9sx7v3n1b6u0",
    "status": "rewarded", "conversion_id": "conv_0h5m8k2q9sx7v3n1b6tz", "reward_amount": 750, "reward_unit": "USD",
    "qualified_at": "2024-01-18T11:00:00Z", "rewarded_at": "2024-01-18T11:00:00Z", "created_at": "2024-01-15T10:30:00Z"
}))]
pub struct IntroductionView {
    /// The id of the referral: `/api/v1/referrals/{id}` has the signup.
    pub id: ReferralId,
    /// Who brought …
    pub referrer_id: CustomerId,
    /// … whom.
    pub referred_id: CustomerId,
    /// How far it has come; it never goes back.
    pub status: IntroductionStatus,
    /// What was bought when it qualified.
    #[schema(required)]
    pub conversion_id: Option<ConversionId>,
    /// What the first of them got, in minor units or points; null until then.
    #[schema(required)]
    pub reward_amount: Option<Cents>,
    /// Of what: ISO 4217, or `PTS` for points.
    #[schema(required)]
    pub reward_unit: Option<Currency>,
    /// When the conditions of the reward were met.
    #[schema(required)]
    pub qualified_at: Option<Timestamp>,
    /// When the reward was booked.
    #[schema(required)]
    pub rewarded_at: Option<Timestamp>,
    /// When the signup was recorded.
    pub created_at: Timestamp,
}

impl From<Introduction> for IntroductionView {
    fn from(introduction: Introduction) -> Self {
        Self {
            status: introduction.status(),
            id: introduction.referral_id,
            referrer_id: introduction.referrer_id,
            referred_id: introduction.referred_id,
            conversion_id: introduction.conversion_id,
            reward_amount: introduction.reward_amount,
            reward_unit: introduction.reward_unit,
            qualified_at: introduction.qualified_at,
            rewarded_at: introduction.rewarded_at,
            created_at: introduction.created_at,
        }
    }
}
