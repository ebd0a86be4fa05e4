//! `handbill erase`.

use clap::Args;
use serde_json::json;

use super::{print_json, say, sentence};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, DbConnection, migrations};
use crate::erasures::erase::{Person, erase, traces};
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId, Id, ReferralId};
use crate::{accounts, ambassadors, referrals};

#[derive(Args)]
pub(super) struct Options {
    /// The id of a signup, `ref_…`
    #[arg(long, required_unless_present = "user", conflicts_with = "user")]
    referral: Option<String>,
    /// The id of an ambassador, `user_…`
    #[arg(long)]
    user: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Removes what is personal about somebody. The command line stands above accounts: the id says whose they are.
pub(super) fn perform(config: &Config, options: &Options) -> Result<(), String> {
    let person = person(options)?;
    migrations::run(&config.database_url)?;
    let db = Db::open(&config.database_url, 1, Clock::System).map_err(|error| sentence(&error))?;
    let whom = person.clone();
    let erased = async {
        let (account, traces) = db
            .read_at_length(move |conn| {
                let account = owner(conn, &whom)?;
                let traces = traces(conn, &account, &whom)?;
                Ok((account, traces))
            })
            .await?;
        let whom = person.clone();
        let since = db
            .write(move |conn, now| erase(conn, &account, None, &whom, &traces, now))
            .await?;
        db.scrub().await?;
        Ok::<_, Error>(since)
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

fn person(options: &Options) -> Result<Person, String> {
    let known = match (&options.referral, &options.user) {
        (Some(id), _) => ReferralId::from_outside(id).map(Person::Referral),
        (None, Some(id)) => AmbassadorId::from_outside(id).map(Person::Ambassador),
        (None, None) => None,
    };
    known.ok_or_else(|| "that is not the id of anybody; ids look like ref_… and user_…".to_owned())
}

fn owner(conn: &mut DbConnection, person: &Person) -> Result<AccountId, Error> {
    for account in accounts::queries::list(conn)? {
        let is_there = match person {
            Person::Referral(id) => referrals::queries::find(conn, &account.id, id)?.is_some(),
            Person::Ambassador(id) => ambassadors::queries::find(conn, &account.id, id)?.is_some(),
        };
        if is_there {
            return Ok(account.id);
        }
    }
    Err(Error::NotFound(match person {
        Person::Referral(_) => ReferralId::NOUN,
        Person::Ambassador(_) => AmbassadorId::NOUN,
    }))
}
