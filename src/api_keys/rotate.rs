//! Verb: a key gets a successor, and goes on working for a while.

use super::model::{ApiKey, NewKey, Secret};
use super::{issue, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, ApiKeyId, Id};

/// Makes a key of what the key `id` opens, and lets that one end `overlap` seconds from now (or when it would have
/// ended anyway). Or finds the key that the same idempotency key put in its place before.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such key; [`Error::Conflict`] if it has ended, or the idempotency key rotated
/// another one.
pub fn rotate(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ApiKeyId,
    secret: &Secret,
    overlap: i64,
    retry: Option<&Retry>,
    now: Timestamp,
) -> Result<Recorded<ApiKey>, Error> {
    let old = queries::find(conn, account, id)?.ok_or(Error::NotFound(ApiKeyId::NOUN))?;
    once(
        conn,
        retry,
        |conn, key| Ok(queries::find_successor_by_key(conn, account, key)?),
        |conn| {
            if !old.is_live(now) {
                return Err(ended());
            }
            let new = NewKey {
                name: old.name.clone(),
                kind: old.kind,
                scopes: old.scopes.clone(),
                program_id: old.program_id.clone(),
                ambassador_id: old.ambassador_id.clone(),
                expires_at: old.expires_at,
                replaces: Some(old.id.clone()),
                retry: retry.cloned(),
            };
            let made = issue::store(conn, account, ApiKeyId::new(now), &new, secret, now)?;
            if made.is_some() {
                let planned = now.plus_seconds(overlap);
                let ends = old.expires_at.map_or(planned, |end| end.min(planned));
                queries::end_at(conn, account, id, ends)?;
            }
            Ok(made)
        },
    )
}

fn ended() -> Error {
    Error::Conflict {
        code: "key_ended",
        message: "This key has ended; create another one".to_owned(),
    }
}
