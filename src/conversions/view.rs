//! A conversion as `/api/v1` shows it.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::model::{Conversion, ConversionKind};
use crate::clock::Timestamp;
use crate::coupons::model::CouponCode;
use crate::ids::{AmbassadorId, ConversionId, ProgramId, ReferralId};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency};
use crate::rules::commission::Step;
use crate::text::OrderId;

/// One purchase.
#[derive(Serialize, ToSchema)]
#[schema(as = Conversion, example = json!({
    "id": "conv_0h5m8k2q9sx7v3n1b6tz", "referral_id": "ref_123abc", "program_id": "prog_123abc",
    "student_id": "user_123abc", "order_id": "order_771", "kind": "purchase", "amount": 5500, "currency": "USD",
    "occurred_at": "2024-01-18T11:00:00Z", "refunded_amount": 0, "commission": 550, "rule_version": 1,
    "steps": [{"what": "percent", "text": "10% of 55.00 USD is 5.50 USD", "figures": {"of": 5500, "basis_points": 1000, "amount": 550}}],
    "coupon_code": null, "created_at": "2024-01-18T11:00:00Z", "updated_at": "2024-01-18T11:00:00Z", "metadata": {"plan": "pro"}
}))]
pub struct ConversionView {
    /// `conv_…`
    pub id: ConversionId,
    /// The signup of who bought.
    pub referral_id: ReferralId,
    /// The referral's program.
    pub program_id: ProgramId,
    /// The referral's ambassador.
    pub student_id: AmbassadorId,
    /// Your own.
    pub order_id: OrderId,
    /// What kind of purchase it was.
    pub kind: ConversionKind,
    /// Minor units.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// When it was bought.
    pub occurred_at: Timestamp,
    /// How much of it was given back.
    pub refunded_amount: Cents,
    /// What the program's rules made of the whole amount, or what their caps left of it when a rejection was taken back;
    /// what of it stands is in the earnings.
    pub commission: Cents,
    /// Which version of the rules.
    pub rule_version: i64,
    /// How they made it, step by step.
    #[schema(value_type = Vec<Step>)]
    pub steps: Box<RawValue>,
    /// The coupon it was bought with.
    #[schema(required)]
    pub coupon_code: Option<CouponCode>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// Your own.
    pub metadata: Metadata,
}

impl From<Conversion> for ConversionView {
    fn from(conversion: Conversion) -> Self {
        let commission = conversion.payable();
        Self {
            id: conversion.id,
            referral_id: conversion.referral_id,
            program_id: conversion.program_id,
            student_id: conversion.ambassador_id,
            order_id: conversion.order_id,
            kind: conversion.kind,
            amount: conversion.amount,
            currency: conversion.currency,
            occurred_at: conversion.occurred_at,
            refunded_amount: conversion.refunded,
            commission,
            rule_version: conversion.rule_version,
            // It was written by us.
            steps: RawValue::from_string(conversion.steps).unwrap_or_default(),
            coupon_code: conversion.coupon_code,
            created_at: conversion.created_at,
            updated_at: conversion.updated_at,
            metadata: conversion.metadata,
        }
    }
}
