//! Verb: an endpoint gets a new secret.

use super::model::Endpoint;
use super::queries;
use super::secret::KeptSecret;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::Recorded;
use crate::ids::{AccountId, Id, WebhookEndpointId};
use crate::text::IdempotencyKey;

/// For so many seconds the old secret signs too.
const OVERLAP: i64 = 24 * 3600;

/// Puts `secret` in place of the endpoint's, which goes on signing beside it for a day. If `retry` is the key of the last
/// rotation, that was it: another one would end the secret that receivers know.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such endpoint.
pub fn rotate(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
    secret: &KeptSecret,
    retry: Option<&IdempotencyKey>,
    now: Timestamp,
) -> Result<Recorded<Endpoint>, Error> {
    let mut endpoint = queries::find_to_change(conn, account, id)?
        .ok_or(Error::NotFound(WebhookEndpointId::NOUN))?;
    if retry.is_some() && endpoint.rotation_key.as_ref() == retry {
        return Ok(Recorded::Replayed(endpoint));
    }
    let old = std::mem::replace(&mut endpoint.secret, secret.clone());
    endpoint.old_secret = Some(old);
    endpoint.old_secret_until = Some(now.plus_seconds(OVERLAP));
    endpoint.rotation_key = retry.cloned();
    endpoint.updated_at = now;
    queries::update(conn, &endpoint)?;
    Ok(Recorded::New(endpoint))
}
