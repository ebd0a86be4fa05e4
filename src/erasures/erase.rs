//! Verb: what is personal about somebody is removed.

use serde_json::json;

use super::blank::without_anybody;
use super::queries;
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{self, AccountId, AmbassadorId, ApiKeyId, EventId, Id, ReferralId};
use crate::{ambassadors, referrals};

/// Events that became visible within so many seconds before the erasure are looked for again in its transaction.
const MARGIN: i64 = 120;

/// Somebody of whom we know something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// Who signed up.
    Referral(ReferralId),
    /// Who promotes.
    Ambassador(AmbassadorId),
}

/// Where what is personal about them stands, as far as it can be found out before the erasure.
#[derive(Debug, Clone)]
pub struct Traces {
    events: Vec<EventId>,
}

impl Person {
    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Self::Referral(id) => id.as_str(),
            Self::Ambassador(id) => id.as_str(),
        }
    }

    fn table(&self) -> &'static str {
        match self {
            Self::Referral(_) => "referrals",
            Self::Ambassador(_) => "ambassadors",
        }
    }

    fn belongings(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
    ) -> Result<Vec<String>, Error> {
        let question = match self {
            Self::Referral(_) => queries::OF_A_REFERRAL,
            Self::Ambassador(_) => queries::OF_AN_AMBASSADOR,
        };
        Ok(queries::belongings(conn, question, account, self.id())?)
    }

    /// Held until the transaction ends; or there is nobody.
    fn hold(&self, conn: &mut DbConnection, account: &AccountId) -> Result<(), Error> {
        match self {
            Self::Referral(id) => referrals::queries::find_to_change(conn, account, id)?
                .map(|_| ())
                .ok_or(Error::NotFound(ReferralId::NOUN)),
            Self::Ambassador(id) => ambassadors::queries::find_to_change(conn, account, id)?
                .map(|_| ())
                .ok_or(Error::NotFound(AmbassadorId::NOUN)),
        }
    }
}

/// Looks for traces, which may mean to look at every event there is: nobody waits for it.
pub fn traces(
    conn: &mut DbConnection,
    account: &AccountId,
    person: &Person,
) -> Result<Traces, Error> {
    let objects = person.belongings(conn, account)?;
    Ok(Traces {
        events: queries::events_about(conn, account, &objects, "")?,
    })
}

/// Removes what is personal about the person, wherever it stands. Ids, amounts, dates and statuses stay. Asked again, it
/// removes what came after. Since when they are erased.
///
/// # Errors
/// [`Error::NotFound`] if the account has nobody with this id.
pub fn erase(
    conn: &mut DbConnection,
    account: &AccountId,
    by: Option<&ApiKeyId>,
    person: &Person,
    traces: &Traces,
    now: Timestamp,
) -> Result<Timestamp, Error> {
    person.hold(conn, account)?;
    let objects = person.belongings(conn, account)?;
    let lately = ids::first_at("evt", now.plus_seconds(-MARGIN));
    let mut about = queries::events_about(conn, account, &objects, &lately)?;
    about.extend(traces.events.iter().cloned());
    queries::empty_events(conn, account, &about, without_anybody)?;
    let statements = match person {
        Person::Referral(_) => queries::REFERRAL,
        Person::Ambassador(_) => queries::AMBASSADOR,
    };
    queries::empty(conn, statements, account, person.id())?;
    queries::empty_the_person(conn, person.table(), account, person.id(), now)?;
    if let Some(since) = queries::erased_at(conn, account, person.id())? {
        return Ok(since);
    }
    queries::insert(conn, account, person.id(), now)?;
    tell(conn, account, by, person, now)?;
    Ok(now)
}

/// Whoever has a copy elsewhere can follow.
fn tell(
    conn: &mut DbConnection,
    account: &AccountId,
    by: Option<&ApiKeyId>,
    person: &Person,
    now: Timestamp,
) -> Result<(), Error> {
    let (action, kind) = match person {
        Person::Referral(_) => (Action::ReferralErased, EventKind::ReferralErased),
        Person::Ambassador(_) => (Action::UserErased, EventKind::UserErased),
    };
    note(conn, &Act::new(account, by, action, person.id(), now))?;
    let object = json!({ "id": person.id() });
    emit(
        conn,
        vec![Event::new(account, kind, person.id(), &object, now)?],
    )
}
