//! Verb: a key stops working, from the next request on.

use super::model::ApiKey;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId, Id};

/// Ends the account's key `id`. Ending it twice is the same as once.
///
/// # Errors
/// [`Error::NotFound`] if there is no such key.
pub fn revoke(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ApiKeyId,
    now: Timestamp,
) -> Result<ApiKey, Error> {
    queries::revoke(conn, account, id, now)?;
    queries::find(conn, account, id)?.ok_or(Error::NotFound(ApiKeyId::NOUN))
}

/// The same on the command line, which stands above accounts.
///
/// # Errors
/// [`Error::NotFound`] if there is no such key.
pub fn revoke_anywhere(
    conn: &mut DbConnection,
    id: &ApiKeyId,
    now: Timestamp,
) -> Result<ApiKey, Error> {
    let account = queries::account_of(conn, id)?.ok_or(Error::NotFound(ApiKeyId::NOUN))?;
    revoke(conn, &account, id, now)
}
