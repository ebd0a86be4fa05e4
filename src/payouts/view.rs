//! A payout as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Payout, PayoutStatus};
use crate::clock::Timestamp;
use crate::ids::{AmbassadorId, CollectionId, PayoutId, ProgramId};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency};
use crate::text::{Line, Paragraph};

/// Money leaving, for one ambassador in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = Payout, example = json!({
    "id": "payout_456def", "collection_id": "coll_0h5m8k2q9sx7v3n1b6tz", "program_id": "prog_123abc",
    "student_id": "user_123abc", "amount": 5500, "currency": "USD", "status": "paid",
    "reference_id": "transfer_8731", "failure_reason": null, "created_at": "2024-02-01T00:00:03Z",
    "paid_at": "2024-02-02T10:00:00Z", "updated_at": "2024-02-02T10:00:00Z", "metadata": {}
}))]
pub struct PayoutView {
    /// `payout_…`
    pub id: PayoutId,
    /// The collection that made it.
    pub collection_id: CollectionId,
    /// The ambassador's program.
    pub program_id: ProgramId,
    /// Who is paid.
    pub student_id: AmbassadorId,
    /// Minor units.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// Where it stands.
    pub status: PayoutStatus,
    /// The bank's or the provider's.
    #[schema(required)]
    pub reference_id: Option<Line>,
    /// Why it did not arrive.
    #[schema(required)]
    pub failure_reason: Option<Paragraph>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it arrived.
    #[schema(required)]
    pub paid_at: Option<Timestamp>,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Payout> for PayoutView {
    fn from(payout: Payout) -> Self {
        Self {
            id: payout.id,
            collection_id: payout.collection_id,
            program_id: payout.program_id,
            student_id: payout.ambassador_id,
            amount: payout.amount,
            currency: payout.currency,
            status: payout.status,
            reference_id: payout.reference_id,
            failure_reason: payout.failure_reason,
            created_at: payout.created_at,
            paid_at: payout.paid_at,
            updated_at: payout.updated_at,
            metadata: payout.metadata,
        }
    }
}
