//! Verb: who was erased after a backup was made is erased in what was made of the backup, before anybody reads it. What is
//! known of them for that is ids and a moment: a list that may be kept anywhere.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::blank::without_anybody;
use super::erase::{erase, tell};
use super::person::Person;
use super::{event_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::events::number::number;
use crate::events::queries::last_sequence;
use crate::ids::{AccountId, Id};
use crate::parse::Parse;

/// A line of the list: somebody was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Whose it was.
    pub account_id: AccountId,
    /// Who: `ref_…`, `user_…` or `cust_…`.
    pub id: String,
    /// When.
    pub erased_at: Timestamp,
}

impl Erased {
    /// Reads what was written down as JSON.
    pub fn read(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let person = Person::named(line["id"].as_str()?)?;
        Some(Self {
            account_id: AccountId::from_outside(line["account_id"].as_str()?)?,
            id: person.id().to_owned(),
            erased_at: Timestamp::parse(line["erased_at"].as_str()?).ok()?,
        })
    }
}

/// Everybody who was erased from this database, account by account.
pub fn list(conn: &mut DbConnection) -> Result<Vec<Erased>, Error> {
    let rows = queries::all(conn)?.into_iter();
    let erased = rows.map(|(account_id, id, erased_at)| Erased {
        account_id,
        id,
        erased_at,
    });
    Ok(erased.collect())
}

/// Erases those on the list who are here, in the caller's transaction; others have come after the backup. How many they
/// are.
pub fn again(
    conn: &mut DbConnection,
    list: &[Erased],
    (keys, now): (&EncryptionKeys, Timestamp),
) -> Result<usize, Error> {
    let mut accounts: BTreeMap<&AccountId, Vec<(Person, &Erased)>> = BTreeMap::new();
    for erased in list {
        let here = match Person::named(&erased.id) {
            Some(person) => person.hold(conn, &erased.account_id).map(|()| person),
            None => continue,
        };
        match here {
            Ok(person) => accounts
                .entry(&erased.account_id)
                .or_default()
                .push((person, erased)),
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut count = 0;
    for (account, people) in accounts {
        count += people.len();
        in_account(conn, account, &people, (keys, now))?;
    }
    Ok(count)
}

/// Goes through the account's events once for all of them.
fn in_account(
    conn: &mut DbConnection,
    account: &AccountId,
    people: &[(Person, &Erased)],
    (keys, now): (&EncryptionKeys, Timestamp),
) -> Result<(), Error> {
    let mut objects = Vec::new();
    for (person, _) in people {
        objects.extend(person.objects(conn, account)?);
    }
    number(conn, account)?;
    event_queries::each_event_about(conn, account, &objects, 0, |conn, found| {
        event_queries::empty_events(conn, account, &found, without_anybody)
    })?;
    let reached = last_sequence(conn, account)?;
    for (person, erased) in people {
        if queries::erased_at(conn, account, person.id())?.is_none() {
            queries::insert(conn, account, person.id(), erased.erased_at)?;
            tell(conn, account, None, person, now)?;
        }
        erase(conn, account, None, person, reached, (keys, now))?;
    }
    Ok(())
}
