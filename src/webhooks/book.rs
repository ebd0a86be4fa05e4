//! Verb: what became of some attempts is written down, and with it how far the endpoint has come.

use super::deliver::LEASE;
use super::model::{Delivery, DeliveryStatus, Endpoint};
use super::send::Attempt;
use super::view::EndpointView;
use super::{delivery_queries, queries, schedule};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};

/// After so many seconds without a delivery an endpoint is disabled.
const PATIENCE: i64 = 5 * 86_400;

/// Some attempts at one endpoint, in order; only the last may have failed.
#[derive(Debug, Clone)]
pub struct Round {
    /// The sequence of the last event that needs nothing more: delivered, or not wanted.
    pub reached: i64,
    /// The events that were tried.
    pub tried: Vec<Tried>,
    /// Whether there were no events behind these.
    pub is_last: bool,
}

/// An event, and what came of sending it.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The event.
    pub event: Event,
    /// What came of it.
    pub attempt: Attempt,
}

/// Writes `round` down, if the lease is still the one of `leased`. The endpoint with a new lease, or `None`: it is not
/// wanted, or there is nothing to go on with.
///
/// # Errors
/// The database's.
pub fn book(
    conn: &mut DbConnection,
    leased: &Endpoint,
    round: &Round,
    goes_on: bool,
    now: Timestamp,
) -> Result<Option<Endpoint>, Error> {
    let held = queries::find_to_change(conn, &leased.account_id, &leased.id)?;
    // Somebody replays, or was given the lease when it ended, or the endpoint is gone.
    let Some(mut endpoint) = held.filter(|held| held.leased_until == leased.leased_until) else {
        return Ok(None);
    };
    let was_enabled = endpoint.enabled == 1;
    endpoint.reached = round.reached;
    let deliveries: Vec<Delivery> = round
        .tried
        .iter()
        .map(|tried| count(&mut endpoint, tried, now))
        .collect();
    delivery_queries::put(conn, &deliveries)?;
    if let (Some(to), Some(at)) = (endpoint.replay_to, endpoint.resume_at)
        && (endpoint.reached >= to || (round.is_last && round.tried.is_empty()))
    {
        endpoint.reached = at.max(endpoint.reached);
        endpoint.replay_to = None;
        endpoint.resume_at = None;
    }
    let is_through = round.is_last || endpoint.enabled == 0 || endpoint.next_attempt_at.is_some();
    let goes_on = goes_on && !is_through;
    // A lease that is over says when this one had its turn: who has waited longest is next.
    endpoint.leased_until = Some(if goes_on {
        now.plus_seconds(LEASE)
    } else {
        now
    });
    queries::update(conn, &endpoint)?;
    if was_enabled && endpoint.enabled == 0 {
        tell(conn, &endpoint, now)?;
    }
    Ok(goes_on.then_some(endpoint))
}

/// Who has no other endpoint finds it in the feed.
fn tell(conn: &mut DbConnection, endpoint: &Endpoint, now: Timestamp) -> Result<(), Error> {
    let (account, id) = (&endpoint.account_id, endpoint.id.as_str());
    let view = EndpointView::from(endpoint.clone());
    let event = Event::new(account, EventKind::WebhookEndpointDisabled, id, &view, now)?;
    emit(conn, vec![event])
}

/// What one attempt means for the endpoint, and what is kept of it.
fn count(endpoint: &mut Endpoint, tried: &Tried, now: Timestamp) -> Delivery {
    let attempts = endpoint.attempt + 1;
    let mut delivery = Delivery::of(endpoint, tried, attempts, now);
    if tried.attempt.delivered() {
        endpoint.start_afresh();
        return delivery;
    }
    let since = *endpoint.failing_since.get_or_insert(now);
    endpoint.attempt = attempts;
    endpoint.next_attempt_at = schedule::next(endpoint.dialect, attempts, tried.attempt.hint, now);
    let reason = if tried.attempt.gone() {
        Some("the receiver answered 410 Gone")
    } else if since.plus_seconds(PATIENCE) <= now {
        Some("nothing was delivered for 5 days")
    } else {
        None
    };
    if let Some(reason) = reason {
        endpoint.disable(reason, now);
        log::warn!("{} is disabled: {reason}", endpoint.id.as_str());
    } else if endpoint.next_attempt_at.is_none() {
        // Ten times is enough: the event behind it has its turn.
        endpoint.reached = tried.event.sequence;
        endpoint.attempt = 0;
    } else {
        delivery.status = DeliveryStatus::Pending;
        delivery.next_at = endpoint.next_attempt_at;
    }
    delivery
}

impl Delivery {
    /// What is kept of an attempt, if there is no other.
    pub(super) fn of(endpoint: &Endpoint, tried: &Tried, attempts: i64, now: Timestamp) -> Self {
        let attempt = tried.attempt.clone();
        Self {
            account_id: endpoint.account_id,
            endpoint_id: endpoint.id.clone(),
            event_id: tried.event.id(),
            kind: tried.event.kind,
            status: match attempt.delivered() {
                true => DeliveryStatus::Delivered,
                false => DeliveryStatus::Failed,
            },
            attempts,
            last_status: attempt.status.map(i64::from),
            last_error: attempt.error,
            excerpt: attempt.excerpt,
            took_ms: attempt.took_ms,
            first_at: now,
            last_at: now,
            next_at: None,
        }
    }
}
