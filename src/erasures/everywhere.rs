//! An erasure from beginning to end, for handlers and the command line: the events are looked through in reads, they and
//! whatever there may be very much of are emptied in short writes, and only then is the person erased, so that others wait
//! for little of it.

use super::erase::{empty, empty_a_few, erase, traces};
use super::person::Person;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::events::number::number_new;
use crate::ids::{AccountId, ApiKeyId};

/// How often the events are looked through. The second look is at what came during the first, so that little is left for
/// the write that erases.
const LOOKS: usize = 2;
/// How many events are emptied in one write.
const TOGETHER: usize = 100;

/// Erases the person, and makes the bytes unreadable as far as that is in our hands. Since when they are erased. Broken
/// off, it is finished by asking again.
///
/// # Errors
/// [`Error::NotFound`] if the account has nobody with this id.
pub async fn everywhere(
    (db, keys): (&Db, &EncryptionKeys),
    account: &AccountId,
    by: Option<&ApiKeyId>,
    person: &Person,
) -> Result<Timestamp, Error> {
    let mut reached = 0;
    for _ in 0..LOOKS {
        number_new(db, account).await?;
        let (owner, whom) = (*account, person.clone());
        let found = db
            .read_at_length(move |conn| traces(conn, &owner, &whom, reached))
            .await?;
        for step in found.events.chunks(TOGETHER) {
            let (owner, step) = (*account, step.to_vec());
            db.write(move |conn, _| empty(conn, &owner, &step)).await?;
        }
        reached = found.reached;
    }
    loop {
        let (owner, whom) = (*account, person.clone());
        let emptied = db.write(move |conn, _| empty_a_few(conn, &owner, &whom));
        if emptied.await? == 0 {
            break;
        }
    }
    let (owner, by, whom, keys) = (*account, by.cloned(), person.clone(), keys.clone());
    let since = db
        .write(move |conn, now| erase(conn, &owner, by.as_ref(), &whom, reached, (&keys, now)))
        .await?;
    db.scrub().await?;
    Ok(since)
}
