//! Every statement about `api_keys`.

use diesel::prelude::*;

use super::model::ApiKey;
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged};
use crate::db::schema::api_keys;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ApiKeyId};
use crate::text::IdempotencyKey;

/// The key with this hash, unless it has ended. The one query that does not start from an account: it finds out
/// which.
pub fn find_live(
    conn: &mut DbConnection,
    hash: &str,
    now: Timestamp,
) -> QueryResult<Option<ApiKey>> {
    let key: Option<ApiKey> = ApiKey::query()
        .filter(api_keys::hash.eq(hash))
        .first(conn)
        .optional()?;
    Ok(key.filter(|key| key.is_live(now)))
}

/// The account's key with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ApiKeyId,
) -> QueryResult<Option<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::account_id.eq(account))
        .filter(api_keys::id.eq(id))
        .first(conn)
        .optional()
}

/// The key that this idempotency key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::account_id.eq(account))
        .filter(api_keys::idempotency_key.eq(key))
        .filter(api_keys::replaces.is_null())
        .first(conn)
        .optional()
}

/// The key that this idempotency key put in the place of another one.
pub fn find_successor_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::account_id.eq(account))
        .filter(api_keys::idempotency_key.eq(key))
        .filter(api_keys::replaces.is_not_null())
        .first(conn)
        .optional()
}

/// Whose the key is: for the command line, which stands above accounts.
pub fn account_of(conn: &mut DbConnection, id: &ApiKeyId) -> QueryResult<Option<AccountId>> {
    api_keys::table
        .filter(api_keys::id.eq(id))
        .select(api_keys::account_id)
        .first(conn)
        .optional()
}

/// The account's keys, oldest first, ended ones too.
pub fn list_all(conn: &mut DbConnection, account: &AccountId) -> QueryResult<Vec<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::account_id.eq(account))
        .order(api_keys::id)
        .load(conn)
}

/// A page of the account's keys, ended ones too.
pub fn list(conn: &mut DbConnection, account: &AccountId, page: &Page) -> QueryResult<Vec<ApiKey>> {
    let query = ApiKey::query()
        .filter(api_keys::account_id.eq(account))
        .into_boxed();
    paged!(query, api_keys::id, page).load(conn)
}

/// Stores a new key. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, key: &ApiKey) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(api_keys::table)
        .values(key)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Ends a key, unless it was ended before.
pub fn revoke(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ApiKeyId,
    at: Timestamp,
) -> QueryResult<()> {
    diesel::update(
        api_keys::table
            .filter(api_keys::account_id.eq(account))
            .filter(api_keys::id.eq(id))
            .filter(api_keys::revoked_at.is_null()),
    )
    .set(api_keys::revoked_at.eq(Some(at)))
    .execute(conn)?;
    Ok(())
}

/// Lets a key end at a moment.
pub fn end_at(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ApiKeyId,
    at: Timestamp,
) -> QueryResult<()> {
    diesel::update(
        api_keys::table
            .filter(api_keys::account_id.eq(account))
            .filter(api_keys::id.eq(id)),
    )
    .set(api_keys::expires_at.eq(Some(at)))
    .execute(conn)?;
    Ok(())
}
