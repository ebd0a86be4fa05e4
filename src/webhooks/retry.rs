//! Verb: what became of an event that somebody asked to be delivered once more, out of order.

use super::book::Tried;
use super::model::{Delivery, DeliveryStatus};
use super::{delivery_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, Id, WebhookEndpointId};

/// Writes down an attempt beside the endpoint's own. What was delivered once stays delivered; what waits for its next
/// attempt goes on waiting, unless it has arrived now.
///
/// # Errors
/// [`Error::NotFound`] if there is no such delivery (any more).
pub fn retry(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
    tried: &Tried,
    now: Timestamp,
) -> Result<Delivery, Error> {
    let mut endpoint = queries::find_to_change(conn, account, id)?
        .ok_or(Error::NotFound(WebhookEndpointId::NOUN))?;
    let before = delivery_queries::find(conn, account, id, &tried.event.id())?
        .ok_or(Error::NotFound("Delivery"))?;
    let mut delivery = Delivery::of(&endpoint, tried, before.attempts + 1, now);
    if !tried.attempt.delivered() {
        delivery.status = before.status;
        delivery.next_at = before.next_at;
    }
    delivery.first_at = before.first_at;
    delivery_queries::put(conn, std::slice::from_ref(&delivery))?;
    let waited = before.status == DeliveryStatus::Pending && tried.attempt.delivered();
    let is_leased = endpoint.leased_until.is_some_and(|until| now < until);
    // Only the first event that is still to be delivered is pending, so nothing is passed over.
    if tried.event.sequence > endpoint.reached && waited && !is_leased {
        endpoint.reached = tried.event.sequence;
        endpoint.start_afresh();
        queries::update(conn, &endpoint)?;
    }
    Ok(delivery)
}
