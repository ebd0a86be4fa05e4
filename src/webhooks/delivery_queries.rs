//! Every statement about `webhook_deliveries`.

use diesel::prelude::*;

use super::model::{Delivery, DeliveryStatus};
use crate::db::page::{Order, Page, paged};
use crate::db::schema::webhook_deliveries;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, EventId, WebhookEndpointId};

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

/// Stores what became of an event, in place of what was known before.
pub fn put(conn: &mut DbConnection, delivery: &Delivery) -> QueryResult<()> {
    on_each_database!(conn, |c| diesel::insert_into(webhook_deliveries::table)
        .values(delivery)
        .on_conflict((
            webhook_deliveries::account_id,
            webhook_deliveries::endpoint_id,
            webhook_deliveries::event_id
        ))
        .do_update()
        .set(delivery)
        .execute(c))
    .map(|_| ())
}
