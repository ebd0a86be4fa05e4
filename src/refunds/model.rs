//! A refund.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::refunds;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, ConversionId, RefundId, Wanted};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency};
use crate::text::{IdempotencyKey, OrderId, Paragraph};

text_enum! {
    /// Whether a refund has found its order.
    pub enum RefundStatus {
        /// Its order has not been reported yet; it is applied when it is.
        Waiting = "waiting",
        /// It has taken its part of the commission back. Final.
        Applied = "applied",
    }
}

/// Money given back.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = refunds, treat_none_as_default_value = false)]
pub struct Refund {
    /// Whose it is.
    pub account_id: AccountId,
    /// `refund_…`
    pub id: RefundId,
    /// The company's own.
    pub order_id: OrderId,
    /// Whether it has found its order.
    pub status: RefundStatus,
    /// The order's conversion.
    pub conversion_id: Option<ConversionId>,
    /// Minor units of `currency`; while it waits perhaps none, which means all of the order.
    pub amount: Option<Cents>,
    /// ISO 4217; the order's.
    pub currency: Option<Currency>,
    /// By how much the ambassador's commission fell.
    pub reversed: i64,
    /// Why.
    pub reason: Option<Paragraph>,
    /// The caller's own.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: IdempotencyKey,
    /// See `idempotency`.
    pub idempotency_fingerprint: String,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was applied.
    pub applied_at: Option<Timestamp>,
}

impl Keyed for Refund {
    const WHAT: &'static str = "refund";

    fn kept_fingerprint(&self) -> Option<&str> {
        Some(&self.idempotency_fingerprint)
    }
}

/// What a new refund is made of.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// The company's own.
    pub order_id: OrderId,
    /// Minor units; none: all that is left.
    pub amount: Option<Cents>,
    /// The order's, if none is named.
    pub currency: Option<Currency>,
    /// Why.
    pub reason: Option<Paragraph>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key; a refund has to have one.
    pub retry: Retry,
}

/// Which refunds.
#[derive(Debug, Clone)]
pub struct RefundFilter {
    /// Only of this order.
    pub order_id: Option<OrderId>,
    /// Only of this conversion.
    pub conversion_id: Option<Wanted<ConversionId>>,
    /// Only those that stand there.
    pub status: Option<RefundStatus>,
}
