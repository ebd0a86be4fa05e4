//! Verb: an endpoint gets events again.

use super::model::Endpoint;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::number::number;
use crate::events::queries::find;
use crate::ids::{AccountId, EventId, Id, WebhookEndpointId};

/// Where a replay begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// With the first event of this second or later.
    From(Timestamp),
    /// Behind this event.
    After(EventId),
}

/// Sets the endpoint back, so that everything from `start` on (to the end of the second `to`, if there is one) is
/// delivered again, in order, before anything new. What would begin ahead of where the endpoint is changes nothing:
/// a replay never passes over an event.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such endpoint; [`Error::Invalid`] if it has no such event.
pub fn replay(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
    start: &Start,
    to: Option<Timestamp>,
    now: Timestamp,
) -> Result<Endpoint, Error> {
    number(conn, account)?;
    let mut endpoint = queries::find_to_change(conn, account, id)?
        .ok_or(Error::NotFound(WebhookEndpointId::NOUN))?;
    let before_it = match start {
        Start::From(from) => queries::first_sequence_from(conn, account, from.start_of_second())?
            .map(|first| first - 1),
        Start::After(event) => {
            let known = find(conn, account, event)?;
            let event = known.ok_or_else(|| Error::no_such("after", EventId::NOUN))?;
            Some(event.sequence)
        }
    };
    let furthest = endpoint.resume_at.unwrap_or(endpoint.reached);
    let Some(begin) = before_it.filter(|begin| *begin < furthest) else {
        return Ok(endpoint);
    };
    let end = match to {
        None => None,
        Some(to) => {
            let end = to.start_of_second().plus_seconds(1);
            Some(queries::last_sequence_before(conn, account, end)?.unwrap_or(0))
        }
    };
    if end.is_some_and(|end| end <= begin) {
        return Ok(endpoint);
    }
    let ends_early = end.filter(|end| *end < furthest);
    endpoint.reached = begin;
    endpoint.replay_to = ends_early;
    endpoint.resume_at = ends_early.map(|_| furthest);
    endpoint.start_afresh();
    // Whoever is delivering writes nothing down any more, and so does not set the endpoint forward again.
    endpoint.leased_until = None;
    endpoint.updated_at = now;
    queries::update(conn, &endpoint)?;
    Ok(endpoint)
}
