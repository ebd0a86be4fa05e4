//! `handbill keys`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{print_json, read, say, write, write_or_begin};
use crate::accounts;
use crate::accounts::model::{Account, DEFAULT_NAME};
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::api_keys::model::{ApiKey, KeyKind, NewKey, Scopes, Secret};
use crate::api_keys::{issue, queries, revoke};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::Recorded;
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, Id, ProgramId};
use crate::parse::Parse;
use crate::text::Name;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a key and show it, once
    Create {
        /// The account, by name or id; `default` when left out
        #[arg(long)]
        account: Option<String>,
        /// What the key is for
        #[arg(long)]
        name: String,
        #[command(flatten)]
        limits: Limits,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show an account's keys (not their secrets), oldest first
    List {
        /// The account, by name or id; `default` when left out
        #[arg(long)]
        account: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a key; requests with it are refused from now on
    Revoke {
        /// The key's id, `key_…`, as `handbill keys list` shows it
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What the key is not to open. Without any of these it opens everything
#[derive(Args)]
pub(super) struct Limits {
    /// Something that it may do, such as referrals:read; once for each. The key is a restricted one
    #[arg(long, conflicts_with = "publishable")]
    scope: Vec<String>,
    /// For web pages: it opens only what is public
    #[arg(long)]
    publishable: bool,
    /// The one program that it opens, by id
    #[arg(long)]
    program: Option<String>,
    /// The one ambassador that it opens, by id
    #[arg(long)]
    ambassador: Option<String>,
}

impl Limits {
    fn key(&self, name: Name) -> Result<NewKey, String> {
        let is_bound = self.program.is_some() || self.ambassador.is_some();
        if is_bound && self.scope.is_empty() && !self.publishable {
            return Err(
                "a key for one program or ambassador needs a --scope for each thing that it may do, or --publishable"
                    .to_owned(),
            );
        }
        let (kind, scopes) = match (self.publishable, self.scope.is_empty()) {
            (true, _) => (KeyKind::Publishable, Scopes::none()),
            (false, true) => (KeyKind::Secret, Scopes::none()),
            (false, false) => {
                let scopes = Scopes::new(&self.scope);
                let scopes = scopes.map_err(|complaint| complaint.into_sentence("--scope"))?;
                (KeyKind::Restricted, scopes)
            }
        };
        let program_id = self.program.as_deref().map(ProgramId::parse).transpose();
        let ambassador_id = self.ambassador.as_deref().map(AmbassadorId::parse);
        let ambassador_id = ambassador_id.transpose();
        Ok(NewKey {
            name,
            kind,
            scopes,
            program_id: program_id.map_err(|complaint| complaint.into_sentence("--program"))?,
            ambassador_id: ambassador_id
                .map_err(|complaint| complaint.into_sentence("--ambassador"))?,
            expires_at: None,
            replaces: None,
            retry: None,
        })
    }
}

pub(super) fn perform(config: &Config, command: Command) -> Result<(), String> {
    match command {
        Command::Create {
            account,
            name,
            limits,
            json,
        } => create(config, account, &name, &limits, json),
        Command::List { account, json } => list(config, account.as_deref(), json),
        Command::Revoke { id, json } => end(config, &id, json),
    }
}

fn create(
    config: &Config,
    account: Option<String>,
    name: &str,
    limits: &Limits,
    json: bool,
) -> Result<(), String> {
    let name = Name::parse(name).map_err(|complaint| complaint.into_sentence("--name"))?;
    let new = limits.key(name)?;
    let secret = Secret::of_kind(new.kind);
    let revealed = secret.reveal().to_owned();
    let (account, key) = write_or_begin(config, move |conn, now| {
        let account = the_account(conn, account.as_deref(), now)?;
        let id = ApiKeyId::new(now);
        let (Recorded::New(key) | Recorded::Replayed(key)) =
            issue::grant(conn, &account.id, id, &new, &secret, now)?;
        noted(conn, &key, Action::KeyCreated, now)?;
        Ok((account, key))
    })?;
    if json {
        return print_json(&json!({
            "id": key.id, "key": revealed, "name": key.name, "kind": key.kind, "scopes": key.scopes.list(),
            "program_id": key.program_id, "student_id": key.ambassador_id, "account_id": account.id,
            "account": account.name, "created_at": key.created_at,
        }));
    }
    say(&revealed);
    say("");
    say(&format!(
        "This is the key {} of the account {} ({}).",
        key.id.as_str(),
        account.name.as_str(),
        account.id
    ));
    say("It is shown this once: only its hash is kept.");
    Ok(())
}

fn list(config: &Config, account: Option<&str>, json: bool) -> Result<(), String> {
    let keys = read(config, |conn| {
        let wanted = account.unwrap_or(DEFAULT_NAME);
        match accounts::queries::find_by_name_or_id(conn, wanted)? {
            Some(account) => Ok(queries::list_all(conn, &account.id)?),
            // It is made with its first key.
            None if wanted == DEFAULT_NAME => Ok(Vec::new()),
            None => Err(Error::NotFound("Account")),
        }
    })?;
    if json {
        return print_json(&keys.iter().map(shown).collect::<Vec<_>>());
    }
    for key in &keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {at}"),
            (None, Some(at)) => format!("until {at}"),
            (None, None) => "live".to_owned(),
        };
        say(&format!(
            "{}  {}…{}  {}  {state}  {}{}",
            key.id.as_str(),
            key.kind.prefix(),
            key.hint,
            key.created_at,
            key.name.as_str(),
            limits_of(key)
        ));
    }
    Ok(())
}

/// What a key does not open, behind its name.
fn limits_of(key: &ApiKey) -> String {
    let program = key.program_id.as_ref().map(ProgramId::as_str);
    let ambassador = key.ambassador_id.as_ref().map(AmbassadorId::as_str);
    let parts = [Some(key.scopes.as_str()), ambassador.or(program)];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("  ({})", parts.join(", ")),
    }
}

fn end(config: &Config, id: &str, json: bool) -> Result<(), String> {
    let id = ApiKeyId::from_outside(id)
        .ok_or_else(|| format!("'{id}' is not the id of a key; it looks like key_…"))?;
    let key = write(config, move |conn, now| {
        let before = match queries::account_of(conn, &id)? {
            Some(account) => queries::find(conn, &account, &id)?,
            None => None,
        };
        let key = revoke::revoke_anywhere(conn, &id, now)?;
        if before.is_some_and(|before| before.revoked_at.is_none()) {
            noted(conn, &key, Action::KeyRevoked, now)?;
        }
        Ok(key)
    })?;
    match json {
        true => print_json(&shown(&key)),
        false => {
            say(&format!(
                "The key {} ({}) is revoked.",
                key.id.as_str(),
                key.name.as_str()
            ));
            Ok(())
        }
    }
}

/// What is done here is in the account's audit log too.
fn noted(
    conn: &mut DbConnection,
    key: &ApiKey,
    action: Action,
    now: Timestamp,
) -> Result<(), Error> {
    note(
        conn,
        &Act::new(&key.account_id, None, action, key.id.as_str(), now),
    )
}

/// The account that was named; the default one exists as soon as a key of it is made.
fn the_account(
    conn: &mut DbConnection,
    named: Option<&str>,
    now: Timestamp,
) -> Result<Account, Error> {
    let wanted = named.unwrap_or(DEFAULT_NAME);
    match accounts::queries::find_by_name_or_id(conn, wanted)? {
        Some(account) => Ok(account),
        None if wanted == DEFAULT_NAME => {
            let name =
                Name::parse(DEFAULT_NAME).map_err(|complaint| Error::field("name", complaint))?;
            accounts::open::open(conn, AccountId::random(), &name, now)
        }
        None => Err(Error::NotFound("Account")),
    }
}

fn shown(key: &ApiKey) -> serde_json::Value {
    json!({
        "id": key.id, "name": key.name, "kind": key.kind, "scopes": key.scopes.list(), "hint": key.hint,
        "program_id": key.program_id, "student_id": key.ambassador_id, "account_id": key.account_id,
        "created_at": key.created_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at,
    })
}
