//! `handbill accounts`.

use clap::Subcommand;
use serde_json::json;

use super::{print_json, read, say, write, write_or_begin};
use crate::accounts::model::{Account, TimeZone};
use crate::accounts::{edit, open, queries};
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::config::Config;
use crate::error::Error;
use crate::ids::AccountId;
use crate::parse::Parse;
use crate::text::Name;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Open an account
    Create {
        /// What to call it; no two accounts share a name
        #[arg(long)]
        name: String,
        /// When its days begin, such as Europe/Lisbon; UTC when left out
        #[arg(long)]
        time_zone: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change an account
    Update {
        /// The account, by name or id
        account: String,
        /// When its days begin, such as Europe/Lisbon
        #[arg(long)]
        time_zone: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all accounts, oldest first
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn perform(config: &Config, command: Command) -> Result<(), String> {
    match command {
        Command::Create {
            name,
            time_zone,
            json,
        } => create(config, &name, time_zone.as_deref(), json),
        Command::Update {
            account,
            time_zone,
            json,
        } => update(config, account, &time_zone, json),
        Command::List { json } => list(config, json),
    }
}

fn create(config: &Config, name: &str, time_zone: Option<&str>, json: bool) -> Result<(), String> {
    let name = Name::parse(name).map_err(|complaint| complaint.into_sentence("--name"))?;
    let time_zone = time_zone.map(zone).transpose()?.unwrap_or_default();
    let account = write_or_begin(config, move |conn, now| {
        let account = open::open(conn, AccountId::random(), &name, now)?;
        let account = edit::edit(conn, account, time_zone)?;
        let id = &account.id;
        note(
            conn,
            &Act::new(id, None, Action::AccountCreated, &id.text(), now),
        )?;
        Ok(account)
    })?;
    match json {
        true => print_json(&shown(&account)),
        false => {
            say(&format!(
                "Opened the account {} ({}).",
                account.name.as_str(),
                account.id
            ));
            say(&format!(
                "Make its first key with: handbill keys create --account {} --name NAME",
                account.id
            ));
            Ok(())
        }
    }
}

fn update(config: &Config, account: String, time_zone: &str, json: bool) -> Result<(), String> {
    let time_zone = zone(time_zone)?;
    let account = write(config, move |conn, now| {
        let account = queries::find_by_name_or_id(conn, &account)?;
        let account = account.ok_or(Error::NotFound("Account"))?;
        let account = edit::edit(conn, account, time_zone)?;
        let id = &account.id;
        note(
            conn,
            &Act::new(id, None, Action::AccountUpdated, &id.text(), now),
        )?;
        Ok(account)
    })?;
    match json {
        true => print_json(&shown(&account)),
        false => {
            let (name, zone) = (account.name.as_str(), account.time_zone.as_str());
            say(&format!(
                "The days of the account {name} begin as in {zone}."
            ));
            Ok(())
        }
    }
}

fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::parse(text).map_err(|complaint| complaint.into_sentence("--time-zone"))
}

fn list(config: &Config, json: bool) -> Result<(), String> {
    let accounts = read(config, |conn| Ok(queries::list(conn)?))?;
    if json {
        return print_json(&accounts.iter().map(shown).collect::<Vec<_>>());
    }
    for account in &accounts {
        say(&format!(
            "{}  {}  {}  {}",
            account.id,
            account.created_at,
            account.time_zone.as_str(),
            account.name.as_str()
        ));
    }
    Ok(())
}

fn shown(account: &Account) -> serde_json::Value {
    json!({
        "id": account.id, "name": account.name, "time_zone": account.time_zone,
        "created_at": account.created_at,
    })
}
