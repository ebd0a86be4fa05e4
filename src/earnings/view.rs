//! An earning as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Earning, EarningStatus};
use crate::clock::Timestamp;
use crate::ids::{EarningId, ReferralId};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency};
use crate::text::{Line, Paragraph};

/// One commission.
#[derive(Serialize, ToSchema)]
#[schema(as = Earning, example = json!({
    "id": "earn_123abc", "referral_id": "ref_123abc", "amount": 550, "currency": "USD", "type": "purchase",
    "description": "Commission for order 771", "status": "pending", "reference_id": null,
    "created_at": "2024-01-18T11:00:00Z", "paid_at": null, "updated_at": "2024-01-18T11:00:00Z",
    "metadata": {"order_id": "771"}
}))]
pub struct EarningView {
    /// `earn_…`
    pub id: EarningId,
    /// The signup it was earned by.
    pub referral_id: ReferralId,
    /// Minor units.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// Whatever you call it.
    #[serde(rename = "type")]
    #[schema(required)]
    pub kind: Option<Line>,
    /// For the ambassador to read.
    #[schema(required)]
    pub description: Option<Paragraph>,
    /// Where it stands.
    pub status: EarningStatus,
    /// The payout's or transaction's id elsewhere.
    #[schema(required)]
    pub reference_id: Option<Line>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was paid.
    #[schema(required)]
    pub paid_at: Option<Timestamp>,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Earning> for EarningView {
    fn from(earning: Earning) -> Self {
        Self {
            id: earning.id,
            referral_id: earning.referral_id,
            amount: earning.amount,
            currency: earning.currency,
            kind: earning.kind,
            description: earning.description,
            status: earning.status,
            reference_id: earning.reference_id,
            created_at: earning.created_at,
            paid_at: earning.paid_at,
            updated_at: earning.updated_at,
            metadata: earning.metadata,
        }
    }
}
