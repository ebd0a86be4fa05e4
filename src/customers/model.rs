//! A customer.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::customers;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, CustomerId};
use crate::metadata::{Metadata, MetadataChange};
use crate::parse::Parse;
use crate::text::{EmailAddress, ExternalId, IdempotencyKey, Name, Phone};

/// A person the company knows.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = customers, treat_none_as_default_value = false)]
pub struct Customer {
    /// Whose customer.
    pub account_id: AccountId,
    /// `cust_…`
    pub id: CustomerId,
    /// Personal. One customer has it.
    pub email: EmailAddress,
    /// The address in lower case, as it is looked for.
    pub email_folded: String,
    /// Personal.
    pub name: Option<Name>,
    /// Personal.
    pub phone: Option<Phone>,
    /// The company's own name for the person. One customer has it.
    pub external_id: Option<ExternalId>,
    /// The caller's own.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When the customer became known.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl Keyed for Customer {
    const WHAT: &'static str = "customer";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

impl Customer {
    /// Whether nobody is known here any more: an erased customer is looked up by nothing but the id.
    pub fn is_erased(&self) -> bool {
        self.email_folded == self.id.as_str()
    }

    /// First and last name, as ambassadors and signups have them: the last word is the last name. Who has no name is
    /// called by the address; a part that is missing is a dash.
    pub fn names(&self) -> (Name, Name) {
        let local = self.email.as_str().split('@').next().unwrap_or_default();
        let name = self.name.as_ref().map_or(local, Name::as_str);
        let (first, last) = name.rsplit_once(' ').unwrap_or((name, ""));
        (part(first), part(last))
    }
}

fn part(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|_| Name::dash())
}

/// What a new customer is made of.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// Personal.
    pub email: EmailAddress,
    /// Personal.
    pub name: Option<Name>,
    /// Personal.
    pub phone: Option<Phone>,
    /// The company's own name for the person.
    pub external_id: Option<ExternalId>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key.
    pub retry: Option<Retry>,
}

impl NewCustomer {
    /// The customer that this is at `now`.
    pub fn customer(&self, account: &AccountId, now: Timestamp) -> Customer {
        Customer {
            account_id: *account,
            id: CustomerId::new(now),
            email_folded: self.email.folded(),
            email: self.email.clone(),
            name: self.name.clone(),
            phone: self.phone.clone(),
            external_id: self.external_id.clone(),
            metadata: self.metadata.clone(),
            idempotency_key: Retry::key(self.retry.as_ref()),
            idempotency_fingerprint: Retry::fingerprint(self.retry.as_ref()),
            created_at: now,
            updated_at: now,
        }
    }
}

/// What is to change; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CustomerChanges {
    /// A new address.
    pub email: Option<EmailAddress>,
    /// A new name, or none.
    pub name: Option<Option<Name>>,
    /// A new number, or none.
    pub phone: Option<Option<Phone>>,
    /// Another name of the company's, or none.
    pub external_id: Option<Option<ExternalId>>,
    /// Metadata to merge or to put in place.
    pub metadata: Option<MetadataChange>,
}

/// Which customers.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// Only the one with this address.
    pub email: Option<EmailAddress>,
    /// Only the one with this name of the company's.
    pub external_id: Option<ExternalId>,
}
