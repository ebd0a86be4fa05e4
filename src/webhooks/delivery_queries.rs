//! Every statement about `webhook_deliveries`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::model::{Delivery, DeliveryStatus};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::{Order, Page, paged};
use crate::db::schema::webhook_deliveries;
use crate::db::statement::{column, statement};
use crate::ids::{AccountId, EventId, WebhookEndpointId};

const PUT: &str = "INSERT INTO webhook_deliveries (account_id, endpoint_id, event_id, kind, status, attempts, \
    last_status, last_error, excerpt, took_ms, first_at, last_at, next_at) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (account_id, endpoint_id, event_id) DO UPDATE SET status = excluded.status, \
    attempts = excluded.attempts, last_status = excluded.last_status, last_error = excluded.last_error, \
    excerpt = excluded.excerpt, took_ms = excluded.took_ms, last_at = excluded.last_at, next_at = excluded.next_at, \
    first_at = CASE WHEN excluded.attempts = 1 THEN excluded.first_at ELSE webhook_deliveries.first_at END";

const PUT_MANY: &str = "INSERT INTO webhook_deliveries (account_id, endpoint_id, event_id, kind, status, attempts, \
    last_status, last_error, excerpt, took_ms, first_at, last_at, next_at) \
    SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::text[], \
    ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) \
    ON CONFLICT (account_id, endpoint_id, event_id) DO UPDATE SET status = excluded.status, \
    attempts = excluded.attempts, last_status = excluded.last_status, last_error = excluded.last_error, \
    excerpt = excluded.excerpt, took_ms = excluded.took_ms, last_at = excluded.last_at, next_at = excluded.next_at, \
    first_at = CASE WHEN excluded.attempts = 1 THEN excluded.first_at ELSE webhook_deliveries.first_at END";

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
    match conn {
        DbConnection::Sqlite(c) => {
            for row in rows {
                statement(PUT)
                    .bind::<Text, _>(&row.account_id)
                    .bind::<Text, _>(&row.endpoint_id)
                    .bind::<Text, _>(&row.event_id)
                    .bind::<Text, _>(&row.kind)
                    .bind::<Text, _>(&row.status)
                    .bind::<BigInt, _>(row.attempts)
                    .bind::<Nullable<BigInt>, _>(row.last_status)
                    .bind::<Nullable<Text>, _>(row.last_error.as_deref())
                    .bind::<Nullable<Text>, _>(row.excerpt.as_deref())
                    .bind::<BigInt, _>(row.took_ms)
                    .bind::<BigInt, _>(&row.first_at)
                    .bind::<BigInt, _>(&row.last_at)
                    .bind::<Nullable<BigInt>, _>(row.next_at.as_ref())
                    .execute(c)?;
            }
        }
        DbConnection::Postgres(c) => {
            statement(PUT_MANY)
                .bind::<Array<Text>, _>(column!(rows, account_id))
                .bind::<Array<Text>, _>(column!(rows, endpoint_id))
                .bind::<Array<Text>, _>(column!(rows, event_id))
                .bind::<Array<Text>, _>(column!(rows, kind))
                .bind::<Array<Text>, _>(column!(rows, status))
                .bind::<Array<BigInt>, _>(column!(rows, attempts))
                .bind::<Array<Nullable<BigInt>>, _>(column!(rows, last_status?))
                .bind::<Array<Nullable<Text>>, _>(column!(rows, last_error?))
                .bind::<Array<Nullable<Text>>, _>(column!(rows, excerpt?))
                .bind::<Array<BigInt>, _>(column!(rows, took_ms))
                .bind::<Array<BigInt>, _>(column!(rows, first_at))
                .bind::<Array<BigInt>, _>(column!(rows, last_at))
                .bind::<Array<Nullable<BigInt>>, _>(column!(rows, next_at?))
                .execute(c)?;
        }
    }
    Ok(())
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
