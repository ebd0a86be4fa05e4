//! A coupon as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Coupon, CouponCode, CouponStatus};
use crate::clock::Timestamp;
use crate::ids::{ConversionId, ReferralId};

/// A code for a customer who was brought by another.
#[derive(Serialize, ToSchema)]
#[schema(as = Coupon, example = json!({
    "code": "JOY-4XN8Q2WD7KTL", "referral_id": "ref_123abc", "status": "active", "expires_at": "2024-02-14T10:30:00Z",
    "conversion_id": null, "used_at": null, "created_at": "2024-01-15T10:30:00Z"
}))]
pub struct CouponView {
    /// What is typed; `coupon_code` of a conversion.
    pub code: CouponCode,
    /// The signup that it was given for.
    pub referral_id: ReferralId,
    /// What it is good for.
    pub status: CouponStatus,
    /// When its time is over; null: never.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// What was bought with it.
    #[schema(required)]
    pub conversion_id: Option<ConversionId>,
    /// When that was reported.
    #[schema(required)]
    pub used_at: Option<Timestamp>,
    /// When it was given.
    pub created_at: Timestamp,
}

impl CouponView {
    /// The coupon as it is at `now`.
    pub fn at(coupon: Coupon, now: Timestamp) -> Self {
        Self {
            status: coupon.status(now),
            code: coupon.code,
            referral_id: coupon.referral_id,
            expires_at: coupon.expires_at,
            conversion_id: coupon.conversion_id,
            used_at: coupon.used_at,
            created_at: coupon.created_at,
        }
    }
}
