//! Verb: an ambassador gets a poster to hang.

use super::model::{NewPoster, Poster, PosterStatus};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, replay};
use crate::ids::{AccountId, AmbassadorId, Id, ProgramId};
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
    new: &NewPoster,
    now: Timestamp,
) -> Result<Recorded<Poster>, Error> {
    if let Some(earlier) = earlier(conn, account, new.retry.as_ref())? {
        return Ok(earlier);
    }
    let program_id = program_of(conn, account, new)?;
    for code in &new.codes {
        let poster = Poster {
            account_id: account.clone(),
            id: new.id.clone(),
            program_id: program_id.clone(),
            ambassador_id: new.ambassador_id.clone(),
            code: code.clone(),
            location: new.location.clone(),
            landing_url: new.landing_url.clone(),
            status: PosterStatus::Active,
            metadata: new.metadata.clone(),
            idempotency_key: Retry::key(new.retry.as_ref()),
            idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
            created_at: now,
            updated_at: now,
        };
        if queries::insert_if_new(conn, &poster)? {
            return Ok(Recorded::New(poster));
        }
        // Either its twin was faster, or somebody has the code: then the next one is tried.
        if let Some(earlier) = earlier(conn, account, new.retry.as_ref())? {
            return Ok(earlier);
        }
    }
    Err(Error::Unavailable("every code tried is taken".to_owned()))
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

fn earlier(
    conn: &mut DbConnection,
    account: &AccountId,
    retry: Option<&Retry>,
) -> Result<Option<Recorded<Poster>>, Error> {
    let Some(retry) = retry else { return Ok(None) };
    let found = queries::find_by_key(conn, account, &retry.key)?;
    replay(found, retry, "poster", |poster| {
        poster.idempotency_fingerprint.as_deref()
    })
}
