//! Verb: somebody becomes an ambassador of a program.

use super::model::{Ambassador, NewAmbassador};
use super::queries;
use super::view::UserView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, AmbassadorId, Id, ProgramId};
use crate::programs;

/// Enrols an ambassador, or finds the one that the same key enrolled before.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such program; [`Error::Conflict`] if the program is paused or the
/// key enrolled somebody else.
pub fn enrol(
    conn: &mut DbConnection,
    account: &AccountId,
    id: AmbassadorId,
    new: &NewAmbassador,
    now: Timestamp,
) -> Result<Recorded<Ambassador>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            programs::queries::find(conn, account, &new.program_id)?
                .ok_or_else(|| Error::no_such("program_id", ProgramId::NOUN))?
                .must_recruit()?;
            let ambassador = Ambassador {
                account_id: *account,
                id,
                program_id: new.program_id.clone(),
                first_name: new.first_name.clone(),
                last_name: new.last_name.clone(),
                email: new.email.clone(),
                profile_picture: new.profile_picture.clone(),
                metadata: new.metadata.clone(),
                idempotency_key: Retry::key(new.retry.as_ref()),
                idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
                created_at: now,
                updated_at: now,
            };
            if !queries::insert_if_new(conn, &ambassador)? {
                return Ok(None);
            }
            tell(conn, EventKind::UserCreated, &ambassador)?;
            Ok(Some(ambassador))
        },
    )
}

/// Writes down what became of an ambassador.
pub(super) fn tell(
    conn: &mut DbConnection,
    kind: EventKind,
    ambassador: &Ambassador,
) -> Result<(), Error> {
    let view = UserView::from(ambassador.clone());
    let (account, id) = (&ambassador.account_id, ambassador.id.as_str());
    let event = Event::new(account, kind, id, &view, ambassador.updated_at)?;
    emit(conn, vec![event])
}
