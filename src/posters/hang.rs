//! Verb: an ambassador gets a poster to hang.

use super::model::{NewPoster, Poster, PosterStatus};
use super::queries;
use super::view::PosterView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, AmbassadorId, Id, PosterId, ProgramId};
use crate::parse::Complaint;
use crate::{ambassadors, programs};

/// Makes a poster with a fresh code, or finds the one that the same key made before.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such ambassador, or the ambassador promotes another program than
/// the one named; [`Error::Conflict`] if the program is paused or the key made another poster.
pub fn hang(
    conn: &mut DbConnection,
    account: &AccountId,
    id: PosterId,
    new: &NewPoster,
    now: Timestamp,
) -> Result<Recorded<Poster>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            let poster = unprinted(conn, account, id, new, now)?;
            for code in &new.codes {
                let poster = Poster {
                    code: code.clone(),
                    ..poster.clone()
                };
                if queries::insert_if_new(conn, &poster)? {
                    tell(
                        conn,
                        EventKind::PosterCreated,
                        &poster,
                        None,
                        &new.public_url,
                    )?;
                    return Ok(Some(poster));
                }
                // Either a twin was faster, or somebody has the code: then the next one is tried.
                let key = poster.idempotency_key.as_ref();
                let twin = key
                    .map(|key| queries::find_by_key(conn, account, key))
                    .transpose()?;
                if twin.flatten().is_some() {
                    return Ok(None);
                }
            }
            Err(Error::Unavailable("every code tried is taken".to_owned()))
        },
    )
}

/// Writes down what became of a poster, and where it stood before if that changed.
pub(super) fn tell(
    conn: &mut DbConnection,
    kind: EventKind,
    poster: &Poster,
    before: Option<PosterStatus>,
    public_url: &str,
) -> Result<(), Error> {
    let view = PosterView::new(poster.clone(), public_url);
    let (account, id) = (&poster.account_id, poster.id.as_str());
    let event = Event::new(account, kind, id, &view, poster.updated_at)?;
    let event = match before.filter(|before| *before != poster.status) {
        None => event,
        Some(before) => event.after(before.as_str()),
    };
    emit(conn, vec![event])
}

/// The poster with the first of its codes.
fn unprinted(
    conn: &mut DbConnection,
    account: &AccountId,
    id: PosterId,
    new: &NewPoster,
    now: Timestamp,
) -> Result<Poster, Error> {
    Ok(Poster {
        account_id: *account,
        id,
        program_id: program_of(conn, account, new)?,
        ambassador_id: new.ambassador_id.clone(),
        code: new.codes[0].clone(),
        location: new.location.clone(),
        landing_url: new.landing_url.clone(),
        status: PosterStatus::Active,
        metadata: new.metadata.clone(),
        idempotency_key: Retry::key(new.retry.as_ref()),
        idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
        created_at: now,
        updated_at: now,
    })
}

/// The program that the poster's ambassador promotes.
fn program_of(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewPoster,
) -> Result<ProgramId, Error> {
    if let Some(named) = &new.program_id
        && programs::queries::find(conn, account, named)?.is_none()
    {
        return Err(Error::no_such("program_id", ProgramId::NOUN));
    }
    let ambassador = ambassadors::queries::find(conn, account, &new.ambassador_id)?
        .ok_or_else(|| Error::no_such("student_id", AmbassadorId::NOUN))?;
    if new
        .program_id
        .as_ref()
        .is_some_and(|named| *named != ambassador.program_id)
    {
        let complaint = Complaint::new(
            "contradiction",
            "is not the program of the user in student_id",
        );
        return Err(Error::field("program_id", complaint));
    }
    programs::queries::find(conn, account, &ambassador.program_id)?
        .ok_or_else(|| Error::internal("an ambassador without a program"))?
        .must_recruit()?;
    Ok(ambassador.program_id)
}
