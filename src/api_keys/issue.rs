//! Verb: an account gets a key.

use super::model::{ApiKey, KeyKind, NewKey, Scopes, Secret};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, Id, ProgramId};
use crate::parse::Complaint;
use crate::text::Name;
use crate::{ambassadors, programs};

/// Stores `secret` (its hash) as a key that opens everything of `account`.
pub fn issue(
    conn: &mut DbConnection,
    account: &AccountId,
    id: ApiKeyId,
    name: &Name,
    secret: &Secret,
    now: Timestamp,
) -> Result<ApiKey, Error> {
    let (Recorded::New(key) | Recorded::Replayed(key)) =
        grant(conn, account, id, &NewKey::secret(name), secret, now)?;
    Ok(key)
}

/// Stores `secret` (its hash) as a key of `account`, or finds the key that the same idempotency key made before: its
/// secret is nowhere any more.
///
/// # Errors
/// [`Error::Invalid`] if what is wanted does not go together, has ended already, or the account has no such program or
/// ambassador; [`Error::Conflict`] if the idempotency key made another one.
pub fn grant(
    conn: &mut DbConnection,
    account: &AccountId,
    id: ApiKeyId,
    new: &NewKey,
    secret: &Secret,
    now: Timestamp,
) -> Result<Recorded<ApiKey>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| store(conn, account, id, new, secret, now),
    )
}

/// Stores a key that is not there yet. `None`: its idempotency key is taken.
pub(super) fn store(
    conn: &mut DbConnection,
    account: &AccountId,
    id: ApiKeyId,
    new: &NewKey,
    secret: &Secret,
    now: Timestamp,
) -> Result<Option<ApiKey>, Error> {
    if new.expires_at.is_some_and(|end| end <= now) {
        let complaint = Complaint::new("in_the_past", "must lie in the future");
        return Err(Error::field("expires_at", complaint));
    }
    let (program_id, ambassador_id) = bounds(conn, account, new)?;
    let key = ApiKey {
        id,
        account_id: *account,
        name: new.name.clone(),
        kind: new.kind,
        scopes: scopes(new)?,
        program_id,
        ambassador_id,
        hash: secret.hash(),
        hint: secret.hint(),
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
        replaces: new.replaces.clone(),
        idempotency_key: Retry::key(new.retry.as_ref()),
        idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
    };
    Ok(queries::insert_if_new(conn, &key)?.then_some(key))
}

fn scopes(new: &NewKey) -> Result<Scopes, Error> {
    let complaint = match (new.kind, new.scopes == Scopes::none()) {
        (KeyKind::Restricted, true) => Complaint::Missing,
        (KeyKind::Restricted, false) | (_, true) => return Ok(new.scopes.clone()),
        (_, false) => Complaint::new("only_restricted", "can only be given to a restricted key"),
    };
    Err(Error::field("scopes", complaint))
}

/// The program and the ambassador, which brings its program along.
fn bounds(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewKey,
) -> Result<(Option<ProgramId>, Option<AmbassadorId>), Error> {
    let wanted = [
        ("program_id", new.program_id.is_some()),
        ("student_id", new.ambassador_id.is_some()),
    ];
    if let (KeyKind::Secret, Some((field, _))) = (new.kind, wanted.iter().find(|(_, is)| *is)) {
        let text = "cannot be given with a secret key, which opens everything";
        return Err(Error::field(field, Complaint::new("only_restricted", text)));
    }
    if let Some(id) = &new.program_id {
        programs::queries::find(conn, account, id)?
            .ok_or_else(|| Error::no_such("program_id", ProgramId::NOUN))?;
    }
    let Some(id) = &new.ambassador_id else {
        return Ok((new.program_id.clone(), None));
    };
    let found = ambassadors::queries::find(conn, account, id)?;
    let is_in = |program: &ProgramId| new.program_id.as_ref().is_none_or(|other| other == program);
    let ambassador = found
        .filter(|ambassador| is_in(&ambassador.program_id))
        .ok_or_else(|| Error::no_such("student_id", AmbassadorId::NOUN))?;
    Ok((Some(ambassador.program_id), Some(ambassador.id)))
}
