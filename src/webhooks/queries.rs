//! Every statement about `webhook_endpoints`, and what of `events` they have to do with.

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::lanes::Standing;
use super::model::{Dialect, Endpoint};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged};
use crate::db::schema::{events, webhook_deliveries, webhook_endpoints};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, WebhookEndpointId};
use crate::text::IdempotencyKey;

/// The account's endpoint with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
) -> QueryResult<Option<Endpoint>> {
    Endpoint::query().find((account, id)).first(conn).optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
) -> QueryResult<Option<Endpoint>> {
    match conn {
        DbConnection::Postgres(c) => webhook_endpoints::table
            .find((account, id))
            .select(Endpoint::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The endpoint that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Endpoint>> {
    Endpoint::query()
        .filter(webhook_endpoints::account_id.eq(account))
        .filter(webhook_endpoints::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// A page of the account's endpoints.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    page: &Page,
) -> QueryResult<Vec<Endpoint>> {
    let query = Endpoint::query()
        .filter(webhook_endpoints::account_id.eq(account))
        .into_boxed();
    paged!(query, webhook_endpoints::id, page).load(conn)
}

/// A page of the account's endpoints that hear of events in these words.
pub fn list_speaking(
    conn: &mut DbConnection,
    account: &AccountId,
    dialect: Dialect,
    page: &Page,
) -> QueryResult<Vec<Endpoint>> {
    let query = Endpoint::query()
        .filter(webhook_endpoints::account_id.eq(account))
        .filter(webhook_endpoints::dialect.eq(dialect))
        .into_boxed();
    paged!(query, webhook_endpoints::id, page).load(conn)
}

/// The endpoints of all accounts.
pub fn list_all(conn: &mut DbConnection) -> QueryResult<Vec<Endpoint>> {
    Endpoint::query().load(conn)
}

/// The ids of the account's endpoints.
pub fn list_ids(
    conn: &mut DbConnection,
    account: &AccountId,
) -> QueryResult<Vec<WebhookEndpointId>> {
    webhook_endpoints::table
        .filter(webhook_endpoints::account_id.eq(account))
        .order(webhook_endpoints::id)
        .select(webhook_endpoints::id)
        .load(conn)
}

/// How far those of the account's enabled endpoints have come that are furthest behind, held until the transaction ends:
/// none of them is set back meanwhile. `None`: none is enabled.
pub fn hold_furthest_behind(
    conn: &mut DbConnection,
    account: &AccountId,
) -> QueryResult<Option<i64>> {
    let enabled = webhook_endpoints::table
        .filter(webhook_endpoints::account_id.eq(account))
        .filter(webhook_endpoints::enabled.eq(1))
        .order(webhook_endpoints::id)
        .select(webhook_endpoints::reached);
    let reached: Vec<i64> = match conn {
        DbConnection::Postgres(c) => enabled.for_no_key_update().load(c)?,
        DbConnection::Sqlite(c) => enabled.load(c)?,
    };
    Ok(reached.into_iter().min())
}

/// Stores a new endpoint. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, endpoint: &Endpoint) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(webhook_endpoints::table)
        .values(endpoint)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what changed of an endpoint.
pub fn update(conn: &mut DbConnection, endpoint: &Endpoint) -> QueryResult<()> {
    let row = webhook_endpoints::table.find((&endpoint.account_id, &endpoint.id));
    diesel::update(row)
        .set((
            webhook_endpoints::url.eq(&endpoint.url),
            webhook_endpoints::types.eq(&endpoint.types),
            webhook_endpoints::description.eq(&endpoint.description),
            webhook_endpoints::enabled.eq(endpoint.enabled),
            webhook_endpoints::secret.eq(&endpoint.secret),
            webhook_endpoints::old_secret.eq(&endpoint.old_secret),
            webhook_endpoints::old_secret_until.eq(endpoint.old_secret_until),
            webhook_endpoints::rotation_key.eq(&endpoint.rotation_key),
            webhook_endpoints::reached.eq(endpoint.reached),
            webhook_endpoints::replay_to.eq(endpoint.replay_to),
            webhook_endpoints::resume_at.eq(endpoint.resume_at),
            webhook_endpoints::attempt.eq(endpoint.attempt),
            webhook_endpoints::next_attempt_at.eq(endpoint.next_attempt_at),
            webhook_endpoints::failing_since.eq(endpoint.failing_since),
            webhook_endpoints::leased_until.eq(endpoint.leased_until),
            webhook_endpoints::disabled_at.eq(endpoint.disabled_at),
            webhook_endpoints::disabled_reason.eq(&endpoint.disabled_reason),
            webhook_endpoints::updated_at.eq(endpoint.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes an endpoint away, with what is known about its deliveries. `false`: there was none.
pub fn delete(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
) -> QueryResult<bool> {
    // Held first, so that no delivery is written down in between.
    find_to_change(conn, account, id)?;
    let deliveries = webhook_deliveries::table
        .filter(webhook_deliveries::account_id.eq(account))
        .filter(webhook_deliveries::endpoint_id.eq(id));
    diesel::delete(deliveries).execute(conn)?;
    diesel::delete(webhook_endpoints::table.find((account, id)))
        .execute(conn)
        .map(|gone| gone == 1)
}

/// The accounts with an endpoint that waits for events which are not numbered yet. Above accounts, as the dispatcher is.
pub fn accounts_to_number(conn: &mut DbConnection) -> QueryResult<Vec<AccountId>> {
    let first = events::table
        .filter(events::account_id.eq(webhook_endpoints::account_id))
        .select(min(events::sequence))
        .single_value();
    webhook_endpoints::table
        .filter(webhook_endpoints::enabled.eq(1))
        .filter(first.lt(0))
        .select(webhook_endpoints::account_id)
        .distinct()
        .load(conn)
}

/// The endpoints of all accounts, in this standing, that have events before them, may be tried at `now`, and that nobody
/// delivers to: those first that have waited longest for their turn.
pub fn list_due(
    conn: &mut DbConnection,
    standing: Standing,
    now: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Endpoint>> {
    let last = events::table
        .filter(events::account_id.eq(webhook_endpoints::account_id))
        .select(max(events::sequence))
        .single_value();
    let next = webhook_endpoints::next_attempt_at;
    let lease = webhook_endpoints::leased_until;
    Endpoint::query()
        .filter(webhook_endpoints::enabled.eq(1))
        .filter(next.is_null().or(next.le(now)))
        .filter(lease.is_null().or(lease.le(now)))
        .filter(
            webhook_endpoints::failing_since
                .is_not_null()
                .eq(standing == Standing::Failing),
        )
        .filter(last.gt(webhook_endpoints::reached.nullable()))
        .order((lease.is_not_null(), lease, webhook_endpoints::id))
        .limit(limit)
        .load(conn)
}

/// Takes the right to deliver to an endpoint until then. `false`: somebody else has it.
pub fn lease(
    conn: &mut DbConnection,
    endpoint: &Endpoint,
    now: Timestamp,
    until: Timestamp,
) -> QueryResult<bool> {
    let next = webhook_endpoints::next_attempt_at;
    let lease = webhook_endpoints::leased_until;
    let free = webhook_endpoints::table
        .find((&endpoint.account_id, &endpoint.id))
        .filter(webhook_endpoints::enabled.eq(1))
        .filter(next.is_null().or(next.le(now)))
        .filter(lease.is_null().or(lease.le(now)));
    diesel::update(free)
        .set(lease.eq(Some(until)))
        .execute(conn)
        .map(|taken| taken == 1)
}

/// Keeps the right to deliver to an endpoint until then. `false`: it is lost.
pub fn renew(conn: &mut DbConnection, held: &Endpoint, until: Timestamp) -> QueryResult<bool> {
    let row = webhook_endpoints::table
        .find((&held.account_id, &held.id))
        .filter(webhook_endpoints::leased_until.eq(held.leased_until));
    diesel::update(row)
        .set(webhook_endpoints::leased_until.eq(Some(until)))
        .execute(conn)
        .map(|kept| kept == 1)
}

/// The sequence of the account's first event at this moment or later.
pub fn first_sequence_from(
    conn: &mut DbConnection,
    account: &AccountId,
    from: Timestamp,
) -> QueryResult<Option<i64>> {
    events::table
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(0))
        .filter(events::created_at.ge(from))
        .select(min(events::sequence))
        .first(conn)
}

/// The sequence of the account's last event before this moment.
pub fn last_sequence_before(
    conn: &mut DbConnection,
    account: &AccountId,
    before: Timestamp,
) -> QueryResult<Option<i64>> {
    events::table
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(0))
        .filter(events::created_at.lt(before))
        .select(max(events::sequence))
        .first(conn)
}
