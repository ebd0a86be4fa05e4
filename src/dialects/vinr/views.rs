//! What VINR shows.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::expand::Expand;
use crate::clock::Timestamp;
use crate::customers;
use crate::customers::model::Customer;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::model::{Event, EventKind};
use crate::ids::{AccountId, CustomerId, EventId, ReferralId};
use crate::introductions::model::{Introduction, IntroductionStatus};
use crate::money::Cents;
use crate::parse::Parse;
use crate::text::{EmailAddress, Name, Phone};

/// Unix time in seconds.
pub fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// A customer.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "cust_0h5m8k2q9sx7v3n1b6tz", "email": "ines@example.com", "name": "Ines Duarte", "phone": "+351910000000",
    "default_payment_method": null, "created": 1_729_500_000
}))]
pub struct VinrCustomer {
    /// `cust_…`
    pub id: CustomerId,
    /// Address.
    pub email: EmailAddress,
    /// Name.
    #[schema(required)]
    pub name: Option<Name>,
    /// Telephone number.
    #[schema(required)]
    pub phone: Option<Phone>,
    /// Always null: handbill knows no payment methods.
    #[schema(required, value_type = Option<String>)]
    pub default_payment_method: Option<()>,
    /// When the customer became known, in Unix seconds.
    pub created: i64,
}

impl From<Customer> for VinrCustomer {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id,
            email: customer.email,
            name: customer.name,
            phone: customer.phone,
            default_payment_method: None,
            created: seconds(customer.created_at),
        }
    }
}

/// A customer who was asked for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum VinrKnown {
    /// The customer.
    Customer(Box<VinrCustomer>),
    /// Somebody who was erased, and is nobody any more.
    Gone {
        /// The id.
        id: CustomerId,
        /// True.
        deleted: bool,
    },
}

impl VinrKnown {
    /// Nobody is known by this id any more.
    fn gone(id: CustomerId) -> Self {
        Self::Gone { id, deleted: true }
    }
}

impl From<Customer> for VinrKnown {
    fn from(customer: Customer) -> Self {
        match customer.is_erased() {
            true => Self::gone(customer.id),
            false => Self::Customer(Box::new(customer.into())),
        }
    }
}

/// A customer's id, or the customer if that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Expandable {
    /// The id.
    Id(CustomerId),
    /// The customer.
    Known(VinrKnown),
}

/// One customer brought another.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "ref_123abc", "referrer_customer": "cust_0h5m8k2q9sx7v3n1b6tz",
    "referred_customer": "cust_0h5m8k2q9sx7v3n1b6u0", "status": "pending", "reward_amount": null, "created": 1_731_000_000
}))]
pub struct VinrReferral {
    /// `ref_…`
    pub id: ReferralId,
    /// Who brought …
    pub referrer_customer: Expandable,
    /// … whom.
    pub referred_customer: Expandable,
    /// How far it has come.
    pub status: IntroductionStatus,
    /// What the first of them got, in minor units or points; null until `rewarded`.
    #[schema(required)]
    pub reward_amount: Option<Cents>,
    /// When it was recorded, in Unix seconds.
    pub created: i64,
}

impl VinrReferral {
    /// As it is, with ids.
    pub fn plain(introduction: Introduction) -> Self {
        Self {
            status: introduction.status(),
            id: introduction.referral_id,
            referrer_customer: Expandable::Id(introduction.referrer_id),
            referred_customer: Expandable::Id(introduction.referred_id),
            reward_amount: introduction.reward_amount,
            created: seconds(introduction.created_at),
        }
    }
}

/// Introductions as VINR shows them, with the customers that are to be objects.
pub fn referrals(
    conn: &mut DbConnection,
    account: &AccountId,
    introductions: Vec<Introduction>,
    expand: Expand,
) -> Result<Vec<VinrReferral>, Error> {
    let wanted = introductions.iter().flat_map(|one| {
        let referrer = expand.referrer.then(|| one.referrer_id.clone());
        let referred = expand.referred.then(|| one.referred_id.clone());
        referrer.into_iter().chain(referred)
    });
    let wanted: Vec<CustomerId> = wanted.collect();
    let known = match wanted.is_empty() {
        true => Vec::new(),
        false => customers::queries::find_all(conn, account, wanted)?,
    };
    let known: HashMap<CustomerId, Customer> = known
        .into_iter()
        .map(|customer| (customer.id.clone(), customer))
        .collect();
    let object = |id: CustomerId| {
        let customer = known.get(&id).cloned();
        Expandable::Known(customer.map_or_else(|| VinrKnown::gone(id), VinrKnown::from))
    };
    let views = introductions.into_iter().map(|introduction| {
        let (referrer, referred) = (
            introduction.referrer_id.clone(),
            introduction.referred_id.clone(),
        );
        let mut view = VinrReferral::plain(introduction);
        if expand.referrer {
            view.referrer_customer = object(referrer);
        }
        if expand.referred {
            view.referred_customer = object(referred);
        }
        view
    });
    Ok(views.collect())
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub struct VinrEvent {
    /// `evt_…`
    pub id: EventId,
    /// `referral.created`, `referral.qualified` or `referral.rewarded`.
    #[serde(rename = "type")]
    #[schema(example = "referral.rewarded")]
    pub kind: &'static str,
    /// What it happened to.
    pub data: VinrEventData,
    /// When it happened, in Unix seconds.
    pub created: i64,
}

/// What something happened to.
#[derive(Serialize, ToSchema)]
pub struct VinrEventData {
    /// The referral as it was then.
    pub object: VinrReferral,
}

/// VINR's word for what happened, and ours.
pub const EVENT_TYPES: [(&str, EventKind); 3] = [
    ("referral.created", EventKind::IntroductionCreated),
    ("referral.qualified", EventKind::IntroductionQualified),
    ("referral.rewarded", EventKind::IntroductionRewarded),
];

/// The snapshot in an event of ours, as far as VINR shows it.
#[derive(Deserialize)]
struct Snapshot {
    id: String,
    referrer_id: String,
    referred_id: String,
    status: String,
    reward_amount: Option<i64>,
    created_at: String,
}

impl VinrEvent {
    /// The event, if VINR has a word for it.
    ///
    /// # Errors
    /// A stored snapshot cannot be read.
    pub fn of(event: &Event) -> Result<Option<Self>, Error> {
        Self::told(
            &event.id(),
            event.kind.as_str(),
            &event.data,
            event.created_at,
        )
    }

    /// The same of its parts.
    ///
    /// # Errors
    /// The snapshot cannot be read.
    pub fn told(
        id: &EventId,
        ours: &str,
        data: &str,
        at: Timestamp,
    ) -> Result<Option<Self>, Error> {
        let mut types = EVENT_TYPES.iter();
        let Some(&(kind, _)) = types.find(|(_, kind)| kind.as_str() == ours) else {
            return Ok(None);
        };
        let snapshot: Snapshot = serde_json::from_str(data).map_err(Error::internal)?;
        Ok(Some(Self {
            id: id.clone(),
            kind,
            data: VinrEventData {
                object: snapshot.referral()?,
            },
            created: seconds(at),
        }))
    }
}

impl Snapshot {
    fn referral(&self) -> Result<VinrReferral, Error> {
        fn read<T: Parse>(text: &str) -> Result<T, Error> {
            T::parse(text).map_err(|_| Error::internal("a stored snapshot cannot be read"))
        }
        let amount = self.reward_amount.map(Cents::try_from).transpose();
        Ok(VinrReferral {
            id: read(&self.id)?,
            referrer_customer: Expandable::Id(read(&self.referrer_id)?),
            referred_customer: Expandable::Id(read(&self.referred_id)?),
            status: read(&self.status)?,
            reward_amount: amount.map_err(|_| Error::internal("an amount out of range"))?,
            created: seconds(read(&self.created_at)?),
        })
    }
}
