//! Verb: an endpoint is made.

use super::model::{Endpoint, NewEndpoint};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::number::number;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, WebhookEndpointId};

/// Makes an endpoint that begins with the next event, or finds the one that the same key made before.
///
/// # Errors
/// [`Error::Conflict`] if the key made another endpoint.
pub fn create(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewEndpoint,
    now: Timestamp,
) -> Result<Recorded<Endpoint>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            // What has happened but is not numbered yet is not "the next event" either.
            number(conn, account)?;
            let endpoint = Endpoint {
                account_id: account.clone(),
                id: WebhookEndpointId::new(now),
                url: new.url.clone(),
                dialect: new.dialect,
                types: new.types.clone(),
                description: new.description.clone(),
                enabled: i64::from(new.enabled),
                secret: new.secret.clone(),
                old_secret: None,
                old_secret_until: None,
                reached: queries::last_sequence(conn, account)?,
                replay_to: None,
                resume_at: None,
                attempt: 0,
                next_attempt_at: None,
                failing_since: None,
                leased_until: None,
                disabled_at: None,
                disabled_reason: None,
                idempotency_key: Retry::key(new.retry.as_ref()),
                idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
                created_at: now,
                updated_at: now,
            };
            Ok(queries::insert_if_new(conn, &endpoint)?.then_some(endpoint))
        },
    )
}
