//! Verb: an endpoint's settings change.

use super::model::{Endpoint, EndpointChanges};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, Id, WebhookEndpointId};

/// Applies `changes`; if they change nothing, nothing is written. An endpoint that is enabled, or leads elsewhere, is
/// tried at once; it goes on with the first event that it has not got.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such endpoint.
pub fn edit(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &WebhookEndpointId,
    changes: &EndpointChanges,
    now: Timestamp,
) -> Result<Endpoint, Error> {
    let before = queries::find_to_change(conn, account, id)?
        .ok_or(Error::NotFound(WebhookEndpointId::NOUN))?;
    let changes = changes.clone();
    let mut after = before.clone();
    after.url = changes.url.unwrap_or(after.url);
    after.types = changes.types.unwrap_or(after.types);
    after.description = changes.description.unwrap_or(after.description);
    after.enabled = changes.enabled.map_or(after.enabled, i64::from);
    if after.enabled == 1 {
        after.disabled_at = None;
        after.disabled_reason = None;
    }
    if after == before {
        return Ok(before);
    }
    let turns_on = after.enabled > before.enabled;
    if turns_on || after.url != before.url || after.types != before.types {
        after.start_afresh();
    }
    after.updated_at = now;
    queries::update(conn, &after)?;
    Ok(after)
}
