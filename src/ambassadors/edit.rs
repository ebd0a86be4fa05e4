//! Verb: what is known about an ambassador changes.

use super::enrol::tell;
use super::model::{Ambassador, AmbassadorChanges};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::model::EventKind;
use crate::ids::{AccountId, AmbassadorId, Id};
use crate::metadata::MetadataChange;

/// Applies `changes`; if they change nothing, nothing is written.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such ambassador; [`Error::Invalid`] if the metadata outgrows its
/// limit.
pub fn edit(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &AmbassadorId,
    changes: &AmbassadorChanges,
    now: Timestamp,
) -> Result<Ambassador, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(AmbassadorId::NOUN))?;
    let changes = changes.clone();
    let mut after = before.clone();
    after.first_name = changes.first_name.unwrap_or(after.first_name);
    after.last_name = changes.last_name.unwrap_or(after.last_name);
    after.email = changes.email.unwrap_or(after.email);
    after.profile_picture = changes.profile_picture.unwrap_or(after.profile_picture);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    if after != before {
        after.updated_at = now;
        queries::update(conn, &after)?;
        tell(conn, EventKind::UserUpdated, &after)?;
    }
    Ok(after)
}
