//! Verb: an endpoint gets a new secret.

use super::model::Endpoint;
use super::queries;
use super::secret::KeptSecret;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, Id, WebhookEndpointId};

/// For so many seconds the old secret signs too.
const OVERLAP: i64 = 24 * 3600;

/// Puts `secret` in place of the endpoint's, which goes on signing beside it for a day.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such endpoint.
pub fn rotate(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
    secret: &KeptSecret,
    now: Timestamp,
) -> Result<Endpoint, Error> {
    let mut endpoint = queries::find_to_change(conn, account, id)?
        .ok_or(Error::NotFound(WebhookEndpointId::NOUN))?;
    let old = std::mem::replace(&mut endpoint.secret, secret.clone());
    endpoint.old_secret = Some(old);
    endpoint.old_secret_until = Some(now.plus_seconds(OVERLAP));
    endpoint.updated_at = now;
    queries::update(conn, &endpoint)?;
    Ok(endpoint)
}
