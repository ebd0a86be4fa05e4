//! Somebody of whom we know something, and what belongs to them.

use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{self, AccountId, AmbassadorId, CustomerId, Id, ReferralId};
use crate::{ambassadors, customers, referrals};

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

impl Person {
    /// The person with this id, if it is one of a person.
    pub fn named(id: &str) -> Option<Self> {
        match ids::prefix(id) {
            ReferralId::PREFIX => ReferralId::from_outside(id).map(Self::Referral),
            AmbassadorId::PREFIX => AmbassadorId::from_outside(id).map(Self::Ambassador),
            CustomerId::PREFIX => CustomerId::from_outside(id).map(Self::Customer),
            _ => None,
        }
    }

    /// The id.
    pub fn id(&self) -> &str {
        match self {
            Self::Referral(id) => id.as_str(),
            Self::Ambassador(id) => id.as_str(),
            Self::Customer(id) => id.as_str(),
        }
    }

    /// Everything that this person is.
    pub(super) fn faces(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
    ) -> Result<Vec<Self>, Error> {
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

    /// The ids of all that events about this person are about.
    pub(super) fn objects(
        &self,
        conn: &mut DbConnection,
        account: &AccountId,
    ) -> Result<Vec<String>, Error> {
        let mut objects = Vec::new();
        for face in self.faces(conn, account)? {
            let question = match face {
                Self::Referral(_) => queries::OF_A_REFERRAL,
                Self::Ambassador(_) => queries::OF_AN_AMBASSADOR,
                Self::Customer(_) => queries::OF_A_CUSTOMER,
            };
            objects.extend(queries::belongings(conn, question, account, face.id())?);
        }
        Ok(objects)
    }

    /// Empties the rows of this face.
    pub(super) fn empty(
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

    /// Held until the transaction ends; or there is nobody.
    pub(super) fn hold(&self, conn: &mut DbConnection, account: &AccountId) -> Result<(), Error> {
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
