//! Verb: what is personal about somebody is removed. `everywhere` calls the parts in their order.

use serde_json::json;

use super::blank::without_anybody;
use super::person::Person;
use super::{event_queries, queries};
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::events::number::number;
use crate::events::queries::last_sequence;
use crate::ids::{AccountId, ApiKeyId};
use crate::replies;

/// Where what is personal about somebody stands, as far as it can be found out before the erasure.
#[derive(Debug, Clone)]
pub struct Traces {
    /// The numbers of the events about them.
    pub events: Vec<i64>,
    /// All events up to this number were looked at.
    pub reached: i64,
}

/// Looks for traces among the events behind the one numbered `after`, which may mean every event there is: so nobody waits
/// for it. What becomes visible later has a later number, or none yet.
pub fn traces(
    conn: &mut DbConnection,
    account: &AccountId,
    person: &Person,
    after: i64,
) -> Result<Traces, Error> {
    let reached = last_sequence(conn, account)?;
    let objects = person.objects(conn, account)?;
    let mut events = Vec::new();
    event_queries::each_event_about(conn, account, &objects, after, |_, found| {
        events.extend(found);
        Ok(())
    })?;
    Ok(Traces { events, reached })
}

/// Empties some of these events. That they are empty before the person is harms nobody: asked again, the erasure goes on.
pub fn empty(conn: &mut DbConnection, account: &AccountId, events: &[i64]) -> Result<(), Error> {
    Ok(event_queries::empty_events(
        conn,
        account,
        events,
        without_anybody,
    )?)
}

/// Empties a few of the rows that belong to somebody who may have very many. How many; none: there are no more.
pub fn empty_a_few(
    conn: &mut DbConnection,
    account: &AccountId,
    person: &Person,
) -> Result<usize, Error> {
    let mut emptied = 0;
    for face in person.faces(conn, account)? {
        if let Person::Ambassador(id) = face {
            emptied += queries::empty(conn, queries::A_FEW_OF_AN_AMBASSADOR, account, id.as_str())?;
        }
    }
    Ok(emptied)
}

/// Removes what is personal about the person, wherever it stands, but for events up to the number `reached`, which are
/// emptied already. `keys` open what was answered under idempotency keys. Ids, amounts, dates and statuses stay. Asked again, it removes what came after. Since when they are erased.
///
/// # Errors
/// [`Error::NotFound`] if the account has nobody with this id.
pub fn erase(
    conn: &mut DbConnection,
    account: &AccountId,
    by: Option<&ApiKeyId>,
    person: &Person,
    reached: i64,
    (keys, now): (&EncryptionKeys, Timestamp),
) -> Result<Timestamp, Error> {
    person.hold(conn, account)?;
    let faces = person.faces(conn, account)?;
    // All of them before the events' name: whoever has that waits for nobody's row.
    for face in &faces {
        face.hold(conn, account)?;
    }
    let objects = person.objects(conn, account)?;
    // Those that wait for a number are looked at too, and until this is committed nobody numbers them while they are.
    number(conn, account)?;
    event_queries::each_event_about(conn, account, &objects, reached, |conn, found| {
        event_queries::empty_events(conn, account, &found, without_anybody)
    })?;
    if matches!(person, Person::Customer(_)) {
        // Dialects show customers. Who repeats a request now is not told what is gone.
        let ids: Vec<&str> = faces.iter().map(Person::id).collect();
        replies::empty::empty(conn, account, &ids, keys, without_anybody)?;
    }
    let mut since = now;
    for face in faces {
        face.empty(conn, account, now)?;
        match queries::erased_at(conn, account, face.id())? {
            Some(before) if face == *person => since = before,
            Some(_) => {}
            None => {
                queries::insert(conn, account, face.id(), now)?;
                tell(conn, account, by, &face, now)?;
            }
        }
    }
    Ok(since)
}

/// Whoever has a copy elsewhere can follow.
pub(super) fn tell(
    conn: &mut DbConnection,
    account: &AccountId,
    by: Option<&ApiKeyId>,
    person: &Person,
    now: Timestamp,
) -> Result<(), Error> {
    let (action, kind) = match person {
        Person::Referral(_) => (Action::ReferralErased, EventKind::ReferralErased),
        Person::Ambassador(_) => (Action::UserErased, EventKind::UserErased),
        Person::Customer(_) => (Action::CustomerErased, EventKind::CustomerErased),
    };
    note(conn, &Act::new(account, by, action, person.id(), now))?;
    let object = json!({ "id": person.id() });
    emit(
        conn,
        vec![Event::new(account, kind, person.id(), &object, now)?],
    )
}
