//! Every statement about `webhook_deliveries`.

use diesel::prelude::*;

use super::model::{Delivery, DeliveryStatus};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::many::{self, many};
use crate::db::page::{Order, Page, paged};
use crate::db::schema::webhook_deliveries;
use crate::ids::{AccountId, EventId, WebhookEndpointId};

many! {
    Outcomes: Delivery => "webhook_deliveries" {
        endpoint_id: text, event_id: text, kind: text, status: text, attempts: number, last_status: number_or_null,
        last_error: text_or_null, excerpt: text_or_null, took_ms: number, first_at: number, last_at: number,
        next_at: number_or_null,
    } then "ON CONFLICT (account_id, endpoint_id, event_id) DO UPDATE SET status = excluded.status, \
        attempts = excluded.attempts, last_status = excluded.last_status, last_error = excluded.last_error, \
        excerpt = excluded.excerpt, took_ms = excluded.took_ms, last_at = excluded.last_at, next_at = excluded.next_at, \
        first_at = CASE WHEN excluded.attempts = 1 THEN excluded.first_at ELSE webhook_deliveries.first_at END"
}

/// What became of an event at an endpoint.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    endpoint: &WebhookEndpointId,
    event: &EventId,
) -> QueryResult<Option<Delivery>> {
    Delivery::query()
        .find((account, endpoint, event))
        .first(conn)
        .optional()
}

/// A page of an endpoint's deliveries, in the order of the events' ids.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    endpoint: &WebhookEndpointId,
    status: Option<DeliveryStatus>,
    page: &Page,
) -> QueryResult<Vec<Delivery>> {
    let mut query = Delivery::query()
        .filter(webhook_deliveries::account_id.eq(account))
        .filter(webhook_deliveries::endpoint_id.eq(endpoint))
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(webhook_deliveries::status.eq(status));
    }
    paged!(query, webhook_deliveries::event_id, page).load(conn)
}

/// Stores what became of events, in place of what was known before. When an event was first tried stays as it is,
/// unless its attempts are counted anew.
pub fn put(conn: &mut DbConnection, rows: &[Delivery]) -> QueryResult<()> {
    many::insert::<Outcomes>(conn, rows).map(drop)
}

/// Deletes up to `limit` of an endpoint's deliveries of events before `end` that were last tried before `cutoff` and are
/// not to be tried again. How many.
pub fn delete_old(
    conn: &mut DbConnection,
    account: &AccountId,
    endpoint: &WebhookEndpointId,
    end: &EventId,
    cutoff: Timestamp,
    limit: i64,
) -> QueryResult<usize> {
    let of_endpoint = webhook_deliveries::table
        .filter(webhook_deliveries::account_id.eq(account))
        .filter(webhook_deliveries::endpoint_id.eq(endpoint));
    let old: Vec<EventId> = of_endpoint
        .filter(webhook_deliveries::event_id.lt(end))
        .filter(webhook_deliveries::last_at.lt(cutoff))
        .filter(webhook_deliveries::status.ne(DeliveryStatus::Pending))
        .order(webhook_deliveries::event_id)
        .select(webhook_deliveries::event_id)
        .limit(limit)
        .load(conn)?;
    // Tried again in the meantime, it is not old any more.
    let still = of_endpoint
        .filter(webhook_deliveries::last_at.lt(cutoff))
        .filter(webhook_deliveries::status.ne(DeliveryStatus::Pending))
        .filter(webhook_deliveries::event_id.eq_any(old));
    diesel::delete(still).execute(conn)
}
