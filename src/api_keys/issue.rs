//! Verb: an account gets a key.

use super::model::{ApiKey, Secret};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId};
use crate::text::Name;

/// Stores `secret` (its hash) as a key of `account`.
pub fn issue(
    conn: &mut DbConnection,
    account: &AccountId,
    id: ApiKeyId,
    name: &Name,
    secret: &Secret,
    now: Timestamp,
) -> Result<ApiKey, Error> {
    let key = ApiKey {
        id,
        account_id: account.clone(),
        name: name.clone(),
        hash: secret.hash(),
        hint: secret.hint(),
        created_at: now,
        revoked_at: None,
    };
    queries::insert(conn, &key)?;
    Ok(key)
}
