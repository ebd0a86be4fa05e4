//! Verb: the company gave money back.

use super::apply::{apply, tell};
use super::model::{NewRefund, Refund, RefundStatus};
use super::queries;
use crate::clock::Timestamp;
use crate::conversions;
use crate::db::{DbConnection, name};
use crate::error::Error;
use crate::events::model::EventKind;
use crate::idempotency::{Recorded, once};
use crate::ids::{AccountId, ApiKeyId, RefundId};

/// Records a refund, or finds the one that the same key recorded before. It is applied at once if its order is known,
/// and else when the order is reported.
///
/// # Errors
/// [`Error::Conflict`] if the key recorded another refund, or if it does not fit its order: more than is left, another
/// currency.
pub fn record(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    new: &NewRefund,
    now: Timestamp,
) -> Result<Recorded<Refund>, Error> {
    once(
        conn,
        Some(&new.retry),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            // Held, so that its order comes before or after, not at once.
            name::hold(conn, &[&account.text(), "order", new.order_id.as_str()])?;
            let mut refund = waiting(account, new, now);
            if !queries::insert_if_new(conn, &refund)? {
                return Ok(None);
            }
            if let Some(mut conversion) =
                conversions::queries::find_by_order(conn, account, &new.order_id)?
            {
                apply(conn, &mut refund, &mut conversion, by, now)?;
            }
            tell(conn, EventKind::RefundCreated, &refund, now)?;
            Ok(Some(refund))
        },
    )
}

fn waiting(account: &AccountId, new: &NewRefund, now: Timestamp) -> Refund {
    Refund {
        account_id: *account,
        id: RefundId::new(now),
        order_id: new.order_id.clone(),
        status: RefundStatus::Waiting,
        conversion_id: None,
        amount: new.amount,
        currency: new.currency.clone(),
        reversed: 0,
        reason: new.reason.clone(),
        metadata: new.metadata.clone(),
        idempotency_key: new.retry.key.clone(),
        idempotency_fingerprint: new.retry.fingerprint.clone(),
        created_at: now,
        applied_at: None,
    }
}
