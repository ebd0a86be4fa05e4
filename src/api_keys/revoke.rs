//! Verb: a key stops working, from the next request on.

use super::model::ApiKey;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{ApiKeyId, Id};

/// Ends the key `id`. Ending it twice is the same as once.
///
/// # Errors
/// [`Error::NotFound`] if there is no such key.
pub fn revoke(conn: &mut DbConnection, id: &ApiKeyId, now: Timestamp) -> Result<ApiKey, Error> {
    queries::revoke(conn, id, now)?;
    queries::find(conn, id)?.ok_or(Error::NotFound(ApiKeyId::NOUN))
}
