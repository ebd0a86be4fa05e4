//! `handbill accounts`.

use clap::Subcommand;
use serde_json::json;

use super::{print_json, say, write};
use crate::accounts::model::Account;
use crate::accounts::{open, queries};
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::config::Config;
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
        Command::Create { name, json } => create(config, &name, json),
        Command::List { json } => list(config, json),
    }
}

fn create(config: &Config, name: &str, json: bool) -> Result<(), String> {
    let name = Name::parse(name).map_err(|complaint| complaint.into_sentence("--name"))?;
    let account = write(config, move |conn, now| {
        let account = open::open(conn, AccountId::new(now), &name, now)?;
        let id = &account.id;
        note(
            conn,
            &Act::new(id, None, Action::AccountCreated, id.as_str(), now),
        )?;
        Ok(account)
    })?;
    match json {
        true => print_json(&shown(&account)),
        false => {
            say(&format!(
                "Opened the account {} ({}).",
                account.name.as_str(),
                account.id.as_str()
            ));
            say(&format!(
                "Make its first key with: handbill keys create --account {} --name NAME",
                account.id.as_str()
            ));
            Ok(())
        }
    }
}

fn list(config: &Config, json: bool) -> Result<(), String> {
    let accounts = write(config, |conn, _| Ok(queries::list(conn)?))?;
    if json {
        return print_json(&accounts.iter().map(shown).collect::<Vec<_>>());
    }
    for account in &accounts {
        say(&format!(
            "{}  {}  {}",
            account.id.as_str(),
            account.created_at,
            account.name.as_str()
        ));
    }
    Ok(())
}

fn shown(account: &Account) -> serde_json::Value {
    json!({ "id": account.id, "name": account.name, "created_at": account.created_at })
}
