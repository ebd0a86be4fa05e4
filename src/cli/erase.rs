//! `handbill erase`.

use clap::Args;
use serde_json::json;

use super::{bring_there_up_to_date, print_json, say, sentence};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, DbConnection};
use crate::erasures::everywhere::everywhere;
use crate::erasures::person::Person;
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId, CustomerId, Id, ReferralId};
use crate::{accounts, ambassadors, customers, referrals};

#[derive(Args)]
pub(super) struct Options {
    #[command(flatten)]
    whom: Whom,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The id of a signup, `ref_…`
    #[arg(long)]
    referral: Option<String>,
    /// The id of an ambassador, `user_…`
    #[arg(long)]
    user: Option<String>,
    /// The id of a customer, `cust_…`
    #[arg(long)]
    customer: Option<String>,
}

/// Removes what is personal about somebody. The command line stands above accounts: the id says whose they are.
pub(super) fn perform(config: &Config, options: &Options) -> Result<(), String> {
    let person = person(&options.whom)?;
    bring_there_up_to_date(&config.database_url)?;
    let db = Db::open(&config.database_url, 1, Clock::System).map_err(|error| sentence(&error))?;
    let whom = person.clone();
    let erased = async {
        let account = db.read_at_length(move |conn| owner(conn, &whom)).await?;
        everywhere((&db, &config.webhooks.keys), &account, None, &person).await
    };
    let since = actix_web::rt::System::new()
        .block_on(erased)
        .map_err(|error| sentence(&error))?;
    match options.json {
        true => print_json(&json!({ "id": person.id(), "erased_at": since })),
        false => {
            say(&format!("{} is erased since {since}.", person.id()));
            if !DbConnection::is_sqlite(&config.database_url) {
                say(
                    "PostgreSQL keeps old rows until its vacuum; docs/operations.md says what else.",
                );
            }
            Ok(())
        }
    }
}

fn person(whom: &Whom) -> Result<Person, String> {
    let known = match (&whom.referral, &whom.user, &whom.customer) {
        (Some(id), ..) => ReferralId::from_outside(id).map(Person::Referral),
        (_, Some(id), _) => AmbassadorId::from_outside(id).map(Person::Ambassador),
        (.., Some(id)) => CustomerId::from_outside(id).map(Person::Customer),
        _ => None,
    };
    known.ok_or_else(|| {
        "that is not the id of anybody; ids look like ref_…, user_… and cust_…".to_owned()
    })
}

fn owner(conn: &mut DbConnection, person: &Person) -> Result<AccountId, Error> {
    for account in accounts::queries::list(conn)? {
        let is_there = match person {
            Person::Referral(id) => referrals::queries::find(conn, &account.id, id)?.is_some(),
            Person::Customer(id) => customers::queries::find(conn, &account.id, id)?.is_some(),
            Person::Ambassador(id) => ambassadors::queries::find(conn, &account.id, id)?.is_some(),
        };
        if is_there {
            return Ok(account.id);
        }
    }
    Err(Error::NotFound(match person {
        Person::Referral(_) => ReferralId::NOUN,
        Person::Ambassador(_) => AmbassadorId::NOUN,
        Person::Customer(_) => CustomerId::NOUN,
    }))
}
