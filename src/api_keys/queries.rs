//! Every statement about `api_keys`.

use diesel::prelude::*;

use super::model::ApiKey;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::schema::api_keys;
use crate::ids::{AccountId, ApiKeyId};

/// The key with this hash, unless it was revoked. The one query that does not start from an account: it
/// finds out which.
pub fn find_live(conn: &mut DbConnection, hash: &str) -> QueryResult<Option<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::hash.eq(hash))
        .filter(api_keys::revoked_at.is_null())
        .first(conn)
        .optional()
}

/// The account's keys, oldest first, revoked ones too.
pub fn list(conn: &mut DbConnection, account: &AccountId) -> QueryResult<Vec<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::account_id.eq(account))
        .order(api_keys::id)
        .load(conn)
}

/// The key with this id, in whatever account: for the command line, which stands above accounts.
pub fn find(conn: &mut DbConnection, id: &ApiKeyId) -> QueryResult<Option<ApiKey>> {
    ApiKey::query()
        .filter(api_keys::id.eq(id))
        .first(conn)
        .optional()
}

/// Stores a new key.
pub fn insert(conn: &mut DbConnection, key: &ApiKey) -> QueryResult<()> {
    diesel::insert_into(api_keys::table)
        .values(key)
        .execute(conn)?;
    Ok(())
}

/// Ends a key. `false`: it had ended before.
pub fn revoke(conn: &mut DbConnection, id: &ApiKeyId, at: Timestamp) -> QueryResult<bool> {
    diesel::update(
        api_keys::table
            .filter(api_keys::id.eq(id))
            .filter(api_keys::revoked_at.is_null()),
    )
    .set(api_keys::revoked_at.eq(Some(at)))
    .execute(conn)
    .map(|ended| ended == 1)
}
