//! The shop in the story: customers who bring customers, under the ids and the key of the other published pages. It is an
//! account of its own, so that the campus programme's lists are what its pages show.

use serde_json::json;

use super::teller::{Teller, at, cents, id, metadata, parsed};
use crate::conversions;
use crate::conversions::model::{Buyer, ConversionKind, NewConversion};
use crate::customers;
use crate::customers::model::{Customer, NewCustomer};
use crate::error::Error;
use crate::ids::{CustomerId, ProgramId, ReferralId};
use crate::invitations::invite::invite;
use crate::programs::launch::launch;
use crate::programs::model::{Audience, NewProgram};
use crate::rules::model::Rule;
use crate::rules::publish::publish;

/// Who brings others, and who is still to be brought: the pages' two customers. And whom the first has brought already.
const CUSTOMERS: [(&str, &str); 3] = [
    ("cust_8aZ2", "Ines.Duarte"),
    ("cust_9bY3", "Tom.Weber"),
    ("cust_7cX4", "Lena.Petrov"),
];

impl Teller<'_> {
    /// Three customers, of whom one has brought another and was rewarded for it.
    pub(super) fn customers(&mut self) -> Result<(), Error> {
        self.program_for_customers(&id("prog_345cde")?)?;
        for (customer, name) in CUSTOMERS {
            self.customer(id(customer)?, name)?;
        }
        let at_the_link = at("2024-05-20T09:00:00Z")?;
        let who = (&self.account, &self.key);
        let ines = id("cust_8aZ2")?;
        let link = invite(self.conn, who, &ines, super::PUBLIC_URL, at_the_link)?;
        let poster = link.invitation.poster_id;
        self.scan(
            id("imp_789ghi")?,
            poster.as_str(),
            at("2024-05-21T13:55:00Z")?,
            0,
        )?;
        self.signup(
            id("ref_2Dm5kW")?,
            id("imp_789ghi")?,
            "Lena",
            "Petrov",
            at("2024-05-21T14:00:00Z")?,
        )?;
        self.purchase(&id("ref_2Dm5kW")?)
    }

    fn program_for_customers(&mut self, program: &ProgramId) -> Result<(), Error> {
        let new = NewProgram {
            name: parsed("Bring a friend")?,
            description: None,
            landing_url: parsed("https://example.com/welcome")?,
            audience: Audience::Customers,
            ..Self::campus_launch()?
        };
        let rule = json!({
            "commission": { "type": "percent", "basis_points": 0 },
            "reward": { "type": "money", "amount": 1000, "minimum_first_payment": 2000, "window_days": 30 },
        });
        let rule = Rule::read(Some(&rule), "rule").map_err(Error::Invalid)?;
        let when = at("2024-05-02T09:00:00Z")?;
        let (account, key) = (&self.account, &self.key);
        launch(self.conn, account, key, program.clone(), &new, when)?;
        publish(self.conn, account, key, program, rule, when).map(drop)
    }

    fn customer(&mut self, customer: CustomerId, name: &str) -> Result<(), Error> {
        let new = NewCustomer {
            email: parsed(&format!("{}@example.com", name.to_lowercase()))?,
            name: Some(parsed(&name.replace('.', " "))?),
            phone: None,
            external_id: None,
            metadata: metadata(&json!({})),
            retry: None,
        };
        let row = Customer {
            id: customer,
            ..new.customer(&self.account, at("2024-05-10T10:00:00Z")?)
        };
        customers::queries::insert_new(self.conn, &[row])?;
        Ok(())
    }

    fn purchase(&mut self, referral: &ReferralId) -> Result<(), Error> {
        let new = NewConversion {
            buyer: Buyer::Referral(referral.clone()),
            coupon_code: None,
            program_id: None,
            order_id: parsed("order_771")?,
            kind: ConversionKind::Purchase,
            amount: cents(4900)?,
            currency: None,
            occurred_at: None,
            metadata: metadata(&json!({})),
            retry: None,
            fingerprint: "the story".to_owned(),
        };
        let when = at("2024-05-24T16:30:00Z")?;
        conversions::record::record(self.conn, &self.account, &self.key, &new, when).map(drop)
    }
}
