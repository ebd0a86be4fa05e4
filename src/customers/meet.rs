//! Verb: people signed up in the customer program. Who is not a customer becomes one.

use std::collections::{BTreeMap, HashMap};

use super::create::tell;
use super::model::{Customer, NewCustomer};
use super::queries;
use crate::db::DbConnection;
use crate::db::statement::by_account;
use crate::error::Error;
use crate::events::model::EventKind;
use crate::ids::{AccountId, CustomerId, ReferralId};
use crate::metadata::Metadata;
use crate::referrals::model::Referral;
use crate::text::{ExternalId, Name};

/// Who signed up: the customer with the signup's address, else the one with its name of the company's, else a new one.
pub fn meet<'a>(
    conn: &mut DbConnection,
    signups: &[&'a Referral],
) -> Result<HashMap<(&'a AccountId, &'a ReferralId), CustomerId>, Error> {
    let mut met = HashMap::new();
    for (account, signups) in by_account(signups.iter().map(|one| (&one.account_id, *one))) {
        let mut known = Known::look_up(conn, account, &signups)?;
        // By address, so that two who make customers at once do not wait for each other in a circle.
        let mut new = BTreeMap::new();
        for signup in signups.iter().filter(|signup| known.who(signup).is_none()) {
            let customer = new.entry(&signup.email_folded);
            customer.or_insert_with(|| customer_of(signup));
        }
        if !new.is_empty() {
            let new: Vec<Customer> = new.into_values().collect();
            queries::insert_new(conn, &new)?;
            // Where somebody was faster, that customer is there by now.
            known = Known::look_up(conn, account, &signups)?;
            let is_stored = |one: &Customer| known.by_email.get(&one.email_folded) == Some(&one.id);
            for customer in new.into_iter().filter(is_stored) {
                let at = customer.created_at;
                tell(conn, EventKind::CustomerCreated, &[customer], at)?;
            }
        }
        for signup in signups {
            let who = known.who(signup).cloned();
            let who = who.ok_or_else(|| Error::internal("a customer is gone"))?;
            met.insert((&signup.account_id, &signup.id), who);
        }
    }
    Ok(met)
}

fn customer_of(signup: &Referral) -> Customer {
    let new = NewCustomer {
        email: signup.email.clone(),
        name: Some(Name::whole(&signup.first_name, &signup.last_name)),
        phone: None,
        external_id: signup.external_id.clone(),
        metadata: Metadata::default(),
        retry: None,
    };
    new.customer(&signup.account_id, signup.created_at)
}

/// Customers, by what signups may say about them.
struct Known {
    by_email: HashMap<String, CustomerId>,
    by_external_id: HashMap<ExternalId, CustomerId>,
}

impl Known {
    fn look_up(
        conn: &mut DbConnection,
        account: &AccountId,
        signups: &[&Referral],
    ) -> Result<Self, Error> {
        let emails = signups.iter().map(|signup| signup.email_folded.clone());
        let by_email = queries::find_by_emails(conn, account, emails.collect())?;
        let by_email: HashMap<_, _> = by_email
            .into_iter()
            .map(|customer| (customer.email_folded, customer.id))
            .collect();
        let others = signups
            .iter()
            .filter(|signup| !by_email.contains_key(&signup.email_folded));
        let ids: Vec<ExternalId> = others.filter_map(|one| one.external_id.clone()).collect();
        let by_external_id = match ids.is_empty() {
            true => Vec::new(),
            false => queries::find_by_external_ids(conn, account, ids)?,
        };
        let by_external_id = by_external_id
            .into_iter()
            .filter_map(|customer| Some((customer.external_id?, customer.id)));
        Ok(Self {
            by_email,
            by_external_id: by_external_id.collect(),
        })
    }

    fn who(&self, signup: &Referral) -> Option<&CustomerId> {
        let by_email = self.by_email.get(&signup.email_folded);
        by_email.or_else(|| self.by_external_id.get(signup.external_id.as_ref()?))
    }
}
