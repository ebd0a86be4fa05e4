//! Verb: what is answered under a key is answered again, for a day. It is kept as secrets are, encrypted if the settings
//! have a key: there are addresses in it, and an endpoint's secret.

use super::model::{Repeatable, Reply, Said};
use super::queries;
use crate::clock::Timestamp;
use crate::db::{DbConnection, name};
use crate::encryption::EncryptionKeys;
use crate::error::Error;

/// So many seconds a reply is kept.
const KEPT_FOR: i64 = 86_400;

/// What was answered to the same request before; `None`: nothing. While somebody else is answering it, that is waited for, and
/// nobody else answers it until this transaction ends.
///
/// # Errors
/// [`Error::Conflict`] if the key was used for something else.
pub fn look_up(
    conn: &mut DbConnection,
    request: &Repeatable,
    keys: &EncryptionKeys,
    now: Timestamp,
) -> Result<Option<Said>, Error> {
    let (account, key) = (request.account_id.text(), request.key.as_str());
    name::hold(conn, &[&account, "reply", request.operation, key])?;
    queries::forget(conn, &request.account_id, now.plus_seconds(-KEPT_FOR))?;
    match queries::find(conn, request)? {
        None => Ok(None),
        Some(reply) if reply.is_to(request) => Ok(Some(reply.said(keys)?)),
        Some(_) => Err(Error::Conflict {
            code: "idempotency_key_reused",
            message:
                "This Idempotency-Key was already used with other parameters; nothing was changed"
                    .to_owned(),
        }),
    }
}

/// Keeps what is answered now.
pub fn keep(
    conn: &mut DbConnection,
    request: &Repeatable,
    said: &Said,
    keys: &EncryptionKeys,
    now: Timestamp,
) -> Result<(), Error> {
    let reply = Reply {
        account_id: request.account_id,
        operation: request.operation.to_owned(),
        key: request.key.clone(),
        fingerprint: request.fingerprint.clone(),
        status: i64::from(said.status),
        body: keys.seal(&said.body, &request.account_id.text())?,
        created_at: now,
    };
    Ok(queries::insert_if_new(conn, &reply)?)
}
