//! Verb: an endpoint is made.

use super::model::{Endpoint, NewEndpoint};
use super::queries;
use crate::clock::Timestamp;
use crate::db::{DbConnection, name};
use crate::error::Error;
use crate::events::number::number;
use crate::events::queries::last_sequence;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, WebhookEndpointId};

/// How many endpoints an account may have. Each is a task of its own, with its own place in every event.
const MOST: usize = 100;

/// Makes an endpoint that begins with the next event, or finds the one that the same key made before.
///
/// # Errors
/// [`Error::Conflict`] if the key made another endpoint, or the account has as many as it may.
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
            // Of two that come at once, the second sees the first.
            name::hold(conn, &[&account.text(), "webhook endpoints"])?;
            if queries::list_ids(conn, account)?.len() >= MOST {
                return Err(full());
            }
            let endpoint = Endpoint {
                account_id: *account,
                id: WebhookEndpointId::new(now),
                url: new.url.clone(),
                dialect: new.dialect,
                types: new.types.clone(),
                description: new.description.clone(),
                enabled: i64::from(new.enabled),
                secret: new.secret.clone(),
                old_secret: None,
                old_secret_until: None,
                rotation_key: None,
                reached: last_sequence(conn, account)?,
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

fn full() -> Error {
    Error::Conflict {
        code: "too_many_webhook_endpoints",
        message: format!("There are {MOST} webhook endpoints, which is the most; delete one first"),
    }
}
