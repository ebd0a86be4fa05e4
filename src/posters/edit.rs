//! Verb: a poster moves, leads elsewhere, is retired, is put back up.

use super::hang::tell;
use super::model::{Poster, PosterChanges};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::model::EventKind;
use crate::ids::{AccountId, Id, PosterId};
use crate::metadata::MetadataChange;

/// Applies `changes`; if they change nothing, nothing is written.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such poster; [`Error::Invalid`] if the metadata outgrows its limit.
pub fn edit(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &PosterId,
    changes: &PosterChanges,
    now: Timestamp,
) -> Result<Poster, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(PosterId::NOUN))?;
    let public_url = &changes.public_url;
    let changes = changes.clone();
    let mut after = before.clone();
    after.location = changes.location.unwrap_or(after.location);
    after.landing_url = changes.landing_url.unwrap_or(after.landing_url);
    after.status = changes.status.unwrap_or(after.status);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    if after != before {
        after.updated_at = now;
        queries::update(conn, &after)?;
        tell(
            conn,
            EventKind::PosterUpdated,
            &after,
            Some(before.status),
            public_url,
        )?;
    }
    Ok(after)
}
