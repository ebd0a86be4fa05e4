//! A program as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Audience, AvailableWhen, ConvertedBy, PayoutSchedule, Program, ProgramStatus};
use crate::clock::Timestamp;
use crate::coupons::model::CouponPrefix;
use crate::ids::ProgramId;
use crate::money::{BasisPoints, Cents, Currency};
use crate::text::{Name, Paragraph, WebUrl};

/// What a company promises its ambassadors, and where scans lead.
#[derive(Serialize, ToSchema)]
#[schema(as = Program, example = json!({
    "id": "prog_123abc", "name": "Campus launch", "description": null,
    "landing_url": "https://example.com/join", "commission_rate": 10, "payout_schedule": "monthly",
    "minimum_payout": 5000, "payout_currency": "USD",
    "available_when": "verified", "hold_days": 30, "converted_by": "conversion",
    "audience": "ambassadors", "coupons": false, "coupon_prefix": "JOY-", "coupon_days": null, "status": "active",
    "created_at": "2024-01-10T09:00:00Z", "updated_at": "2024-01-10T09:00:00Z"
}))]
pub struct ProgramView {
    /// `prog_…`
    pub id: ProgramId,
    /// What people call it.
    pub name: Name,
    /// For people.
    #[schema(required)]
    pub description: Option<Paragraph>,
    /// Where a scan leads.
    pub landing_url: WebUrl,
    /// The commission in percent, as of the last rule that was a percentage.
    pub commission_rate: BasisPoints,
    /// How often ambassadors are paid.
    pub payout_schedule: PayoutSchedule,
    /// The least that is paid out, in minor units.
    pub minimum_payout: Cents,
    /// The currency of payouts.
    pub payout_currency: Currency,
    /// What ends the hold of an earning.
    pub available_when: AvailableWhen,
    /// How many days a hold lasts that is ended by days.
    pub hold_days: i64,
    /// What makes a pending referral converted.
    pub converted_by: ConvertedBy,
    /// Whom it is for.
    pub audience: Audience,
    /// Whether a customer who was brought by another gets a code.
    pub coupons: bool,
    /// What the codes begin with.
    pub coupon_prefix: CouponPrefix,
    /// How many days they are good for; null: for ever.
    #[schema(required)]
    pub coupon_days: Option<i64>,
    /// Whether it recruits.
    pub status: ProgramStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<Program> for ProgramView {
    fn from(program: Program) -> Self {
        Self {
            id: program.id,
            name: program.name,
            description: program.description,
            landing_url: program.landing_url,
            commission_rate: program.commission_basis_points,
            payout_schedule: program.payout_schedule,
            minimum_payout: program.minimum_payout,
            payout_currency: program.payout_currency,
            available_when: program.available_when,
            hold_days: program.hold_days,
            converted_by: program.converted_by,
            audience: program.audience,
            coupons: program.coupon_terms.coupons == 1,
            coupon_prefix: program.coupon_terms.coupon_prefix,
            coupon_days: program.coupon_terms.coupon_days,
            status: program.status,
            created_at: program.created_at,
            updated_at: program.updated_at,
        }
    }
}
