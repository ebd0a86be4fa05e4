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
use crate::ids::{self, AccountId, AmbassadorId, ApiKeyId, CustomerId, EventId, Id, ReferralId};
use crate::{ambassadors, customers, referrals, replies};

/// Events that became visible within so many seconds before the erasure are looked for again in its transaction.
const MARGIN: i64 = 120;

/// Somebody of whom we know something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// Who signed up.
    Referral(ReferralId),
    /// Who promotes.
    Ambassador(AmbassadorId),
    /// Who may bring others and be brought: then the ambassador's record and the signup are about the same person.
    Customer(CustomerId),
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
            Self::Customer(id) => id.as_str(),
        }
    }

    /// Everything that this person is.
    fn faces(&self, conn: &mut DbConnection, account: &AccountId) -> Result<Vec<Self>, Error> {
        let mut faces = vec![self.clone()];
        if let Self::Customer(id) = self {
            let mut ask = |question| queries::belongings(conn, question, account, id.as_str());
            let records = ask(queries::RECORD_OF_A_CUSTOMER)?;
            let signups = ask(queries::SIGNUP_OF_A_CUSTOMER)?;
            let records = records
                .iter()
                .filter_map(|id| AmbassadorId::from_outside(id));
            let signups = signups.iter().filter_map(|id| ReferralId::from_outside(id));
            faces.extend(records.map(Self::Ambassador));
            faces.extend(signups.map(Self::Referral));
        }
        Ok(faces)
    }

    fn empty(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id = self.id();
        match self {
            Self::Referral(_) => {
                queries::empty(conn, queries::REFERRAL, account, id)?;
                queries::empty_the_person(conn, "referrals", account, id, now)?;
            }
            Self::Ambassador(_) => {
                queries::empty(conn, queries::AMBASSADOR, account, id)?;
                queries::empty_the_person(conn, "ambassadors", account, id, now)?;
            }
            Self::Customer(_) => queries::empty_the_customer(conn, account, id, now)?,
        }
        Ok(())
    }

    fn belongings(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
    ) -> Result<Vec<String>, Error> {
        let question = match self {
            Self::Referral(_) => queries::OF_A_REFERRAL,
            Self::Ambassador(_) => queries::OF_AN_AMBASSADOR,
            Self::Customer(_) => queries::OF_A_CUSTOMER,
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
            Self::Customer(id) => customers::queries::find_to_change(conn, account, id)?
                .map(|_| ())
                .ok_or(Error::NotFound(CustomerId::NOUN)),
        }
    }
}

/// Looks for traces, which may mean to look at every event there is: nobody waits for it.
pub fn traces(
    conn: &mut DbConnection,
    account: &AccountId,
    person: &Person,
) -> Result<Traces, Error> {
    let mut objects = Vec::new();
    for face in person.faces(conn, account)? {
        objects.extend(face.belongings(conn, account)?);
    }
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
    queries::empty_events(conn, account, &traces.events, without_anybody)?;
    let lately = ids::first_at("evt", now.plus_seconds(-MARGIN));
    let mut since = now;
    if matches!(person, Person::Customer(_)) {
        // Dialects show customers. Who repeats a request now is not told what is gone.
        replies::queries::forget_all(conn, account)?;
    }
    for face in person.faces(conn, account)? {
        face.hold(conn, account)?;
        let objects = face.belongings(conn, account)?;
        let about = queries::events_about(conn, account, &objects, &lately)?;
        queries::empty_events(conn, account, &about, without_anybody)?;
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
        Person::Customer(_) => (Action::CustomerErased, EventKind::CustomerErased),
    };
    note(conn, &Act::new(account, by, action, person.id(), now))?;
    let object = json!({ "id": person.id() });
    emit(
        conn,
        vec![Event::new(account, kind, person.id(), &object, now)?],
    )
}
