//! Verb: a key gets a successor, and goes on working for a while.

use super::model::{ApiKey, NewKey, Secret};
use super::{issue, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId, Id};

/// Makes a key of what the key `id` opens, and lets that one end `overlap` seconds from now (or when it would have
/// ended anyway).
///
/// # Errors
/// [`Error::NotFound`] if the account has no such key; [`Error::Conflict`] if it has ended.
pub fn rotate(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ApiKeyId,
    secret: &Secret,
    overlap: i64,
    now: Timestamp,
) -> Result<ApiKey, Error> {
    let old = queries::find(conn, account, id)?.ok_or(Error::NotFound(ApiKeyId::NOUN))?;
    if !old.is_live(now) {
        return Err(Error::Conflict {
            code: "key_ended",
            message: "This key has ended; create another one".to_owned(),
        });
    }
    let new = NewKey {
        name: old.name.clone(),
        kind: old.kind,
        scopes: old.scopes.clone(),
        program_id: old.program_id.clone(),
        ambassador_id: old.ambassador_id.clone(),
        expires_at: old.expires_at,
    };
    let planned = now.plus_seconds(overlap);
    let ends = old.expires_at.map_or(planned, |end| end.min(planned));
    queries::end_at(conn, account, id, ends)?;
    issue::grant(conn, account, ApiKeyId::new(now), &new, secret, now)
}
