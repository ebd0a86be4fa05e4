//! A refund as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Refund, RefundStatus};
use crate::clock::Timestamp;
use crate::ids::{ConversionId, RefundId};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency};
use crate::text::{IdempotencyKey, OrderId, Paragraph};

/// Money given back of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund, example = json!({
    "id": "refund_0h5m8k2q9sx7v3n1b6tz", "order_id": "order_771", "status": "applied",
    "conversion_id": "conv_0h5m8k2q9sx7v3n1b6tz", "amount": 1100, "currency": "USD", "reversed_amount": 110,
    "reason": "One item returned", "idempotency_key": "credit_note_12", "created_at": "2024-01-20T09:00:00Z",
    "applied_at": "2024-01-20T09:00:00Z", "metadata": {}
}))]
pub struct RefundView {
    /// `refund_…`
    pub id: RefundId,
    /// Your own name for the order.
    pub order_id: OrderId,
    /// Whether it has found its order.
    pub status: RefundStatus,
    /// The order's conversion, once it is known.
    #[schema(required)]
    pub conversion_id: Option<ConversionId>,
    /// Minor units; null while it waits and means all of the order.
    #[schema(required)]
    pub amount: Option<Cents>,
    /// ISO 4217.
    #[schema(required)]
    pub currency: Option<Currency>,
    /// By how much the ambassador's commission fell.
    pub reversed_amount: i64,
    /// For you to read.
    #[schema(required)]
    pub reason: Option<Paragraph>,
    /// Your own name for this refund.
    pub idempotency_key: IdempotencyKey,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was applied.
    #[schema(required)]
    pub applied_at: Option<Timestamp>,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            order_id: refund.order_id,
            status: refund.status,
            conversion_id: refund.conversion_id,
            amount: refund.amount,
            currency: refund.currency,
            reversed_amount: refund.reversed,
            reason: refund.reason,
            idempotency_key: refund.idempotency_key,
            created_at: refund.created_at,
            applied_at: refund.applied_at,
            metadata: refund.metadata,
        }
    }
}
