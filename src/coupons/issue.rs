//! Verb: customers who were brought by others get a code.

use super::model::{Coupon, CouponCode};
use super::queries;
use super::view::CouponView;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::introductions::model::Introduction;
use crate::programs::model::Program;

/// Gives each introduction of a program a code, if the program gives any.
pub fn issue(
    conn: &mut DbConnection,
    program: &Program,
    introductions: &[Introduction],
) -> Result<(), Error> {
    let terms = &program.coupon_terms;
    if terms.coupons == 0 || introductions.is_empty() {
        return Ok(());
    }
    let coupon = |introduction: &Introduction| Coupon {
        account_id: introduction.account_id,
        code: CouponCode::random(&terms.coupon_prefix),
        referral_id: introduction.referral_id.clone(),
        expires_at: terms
            .coupon_days
            .map(|days| introduction.created_at.plus_seconds(days * 86_400)),
        conversion_id: None,
        used_at: None,
        created_at: introduction.created_at,
    };
    let coupons: Vec<Coupon> = introductions.iter().map(coupon).collect();
    queries::insert(conn, &coupons)?;
    let events = coupons.iter().map(|coupon| {
        let view = CouponView::at(coupon.clone(), coupon.created_at);
        let (account, code) = (&coupon.account_id, coupon.code.as_str());
        Event::new(
            account,
            EventKind::CouponCreated,
            code,
            &view,
            coupon.created_at,
        )
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    emit(conn, events)
}
