//! Verb: something was bought with a coupon.

use super::model::{Coupon, CouponCode, CouponStatus};
use super::queries;
use super::view::CouponView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{AccountId, ConversionId};
use crate::parse::Complaint;

/// The coupon, if it can be used for something that was bought at `at`.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such coupon; [`Error::Conflict`] if it was used or its time was over.
pub fn must_be_good(
    conn: &mut DbConnection,
    account: &AccountId,
    code: &CouponCode,
    at: Timestamp,
) -> Result<Coupon, Error> {
    let unknown = || Complaint::new("unknown_coupon", "is no coupon of yours");
    let coupon = queries::find(conn, account, code)?
        .ok_or_else(|| Error::field("coupon_code", unknown()))?;
    match coupon.status(at) {
        CouponStatus::Active => Ok(coupon),
        CouponStatus::Used => Err(used()),
        CouponStatus::Expired => Err(Error::Conflict {
            code: "coupon_expired",
            message: "The coupon's time was over when this was bought; nothing was booked"
                .to_owned(),
        }),
    }
}

/// Uses the coupon for a conversion that is stored: once, whoever else wants it too.
///
/// # Errors
/// [`Error::Conflict`] if somebody was faster.
pub fn redeem(
    conn: &mut DbConnection,
    coupon: &Coupon,
    conversion: &ConversionId,
    now: Timestamp,
) -> Result<(), Error> {
    if !queries::redeem(conn, coupon, conversion, now)? {
        return Err(used());
    }
    let now_used = Coupon {
        conversion_id: Some(conversion.clone()),
        used_at: Some(now),
        ..coupon.clone()
    };
    let view = CouponView::at(now_used, now);
    let (account, code) = (&coupon.account_id, coupon.code.as_str());
    let event = Event::new(account, EventKind::CouponUsed, code, &view, now)?;
    emit(conn, vec![event.after(CouponStatus::Active.as_str())])
}

fn used() -> Error {
    Error::Conflict {
        code: "coupon_used",
        message: "The coupon was used for another order already; nothing was booked".to_owned(),
    }
}
