//! Verb: a refund takes its part of the commission back.

use super::model::{Refund, RefundStatus};
use super::queries;
use super::view::RefundView;
use crate::clock::Timestamp;
use crate::conversions;
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::earnings::reverse::refunded;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::ApiKeyId;
use crate::money::Cents;

/// Applies a refund to its order, which is held. What the commission has to be after it is computed from what is left
/// of the order, so that partial refunds add up to the whole whatever their order.
///
/// # Errors
/// [`Error::Conflict`] if it is more than is left of the order, or in another currency.
pub fn apply(
    conn: &mut DbConnection,
    refund: &mut Refund,
    conversion: &mut Conversion,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let amount = fitting(refund, conversion, now)?;
    let refunded_before = conversion.refunded.get();
    conversion.refunded = Cents::try_from(refunded_before + amount.get())
        .map_err(|_| Error::internal("an amount out of range"))?;
    conversion.updated_at = now;
    conversions::queries::update_refunded(conn, conversion)?;
    refund.reversed = refunded(conn, conversion, &refund.id, by, now)?;
    refund.status = RefundStatus::Applied;
    refund.conversion_id = Some(conversion.id.clone());
    refund.amount = Some(amount);
    refund.currency = Some(conversion.currency.clone());
    refund.applied_at = Some(now);
    Ok(queries::update(conn, refund)?)
}

/// Applies the refunds that came before their order, which is new and held.
///
/// # Errors
/// [`Error::Conflict`] if one does not fit.
pub fn apply_waiting(
    conn: &mut DbConnection,
    conversion: &mut Conversion,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    let waiting = queries::list_waiting(conn, &conversion.account_id, &conversion.order_id)?;
    for mut refund in waiting {
        apply(conn, &mut refund, conversion, by, now)?;
        tell(conn, EventKind::RefundApplied, &refund, now)?;
    }
    Ok(())
}

/// Writes down what became of a refund.
pub fn tell(
    conn: &mut DbConnection,
    kind: EventKind,
    refund: &Refund,
    now: Timestamp,
) -> Result<(), Error> {
    let view = RefundView::from(refund.clone());
    let event = Event::new(&refund.account_id, kind, refund.id.as_str(), &view, now)?;
    emit(
        conn,
        vec![match kind {
            EventKind::RefundApplied => event.after(RefundStatus::Waiting.as_str()),
            _ => event,
        }],
    )
}

fn fitting(refund: &Refund, conversion: &Conversion, now: Timestamp) -> Result<Cents, Error> {
    let conflict = |code, message| Err(Error::Conflict { code, message });
    // One that waits has an id that the caller knows; one that is refused never gets one.
    let called = match refund.created_at < now {
        true => refund.id.as_str(),
        false => "this refund",
    };
    let (order, currency) = (conversion.order_id.as_str(), conversion.currency.as_str());
    if let Some(other) = refund
        .currency
        .as_ref()
        .filter(|other| **other != conversion.currency)
    {
        let message = format!(
            "Order {order} is in {currency} and {called} of it in {}; nothing was booked",
            other.as_str()
        );
        return conflict("currency_mismatch", message);
    }
    let left = conversion.amount.get() - conversion.refunded.get();
    let amount = refund.amount.map_or(left, Cents::get);
    if left == 0 || amount > left {
        let message = match left {
            0 => format!("Nothing is left to refund of order {order}; nothing was booked"),
            _ => {
                let [left, amount] = [left, amount].map(|units| conversion.currency.written(units));
                format!(
                    "Of order {order} {left} are left, and {called} is of {amount}; nothing was booked"
                )
            }
        };
        return conflict("refund_exceeds_order", message);
    }
    Cents::try_from(amount).map_err(|_| Error::internal("an amount out of range"))
}
