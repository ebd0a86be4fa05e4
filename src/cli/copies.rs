//! `handbill backup`, `restore`, `export`, `import` and `move`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::erasures::Since;
use super::{print_json, say, sentence};
use crate::accounts::model::DEFAULT_NAME;
use crate::accounts::queries;
use crate::acts::model::{Act, Action};
use crate::acts::note::note;
use crate::audit::report::Report;
use crate::clock::Clock;
use crate::config::{Config, is_database_url};
use crate::copies::backup::Backup;
use crate::copies::relocate::Moved;
use crate::copies::restore::Place;
use crate::copies::{backup, export, import, relocate, restore};
use crate::db::file::Draft;
use crate::db::snapshot::on_a_snapshot;
use crate::db::{DbConnection, migrations};
use crate::error::Error;
use crate::parse::Parse;
use crate::text::Name;

#[derive(Args)]
pub(super) struct OneFile {
    /// The file
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Restored {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    since: Since,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Exported {
    /// Where to write it; `-` for standard output
    file: PathBuf,
    /// The account, by name or id; `default` when left out
    #[arg(long)]
    account: Option<String>,
}

#[derive(Args)]
pub(super) struct Imported {
    /// What `handbill export` has written; `-` for standard input
    file: PathBuf,
    /// Another name for the account, if its own is taken
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    since: Since,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Destination {
    /// The other database: `postgres://…`, or `sqlite://PATH` if this one is PostgreSQL
    #[arg(long)]
    to: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn backup(config: &Config, options: &OneFile) -> Result<(), String> {
    let made = backup::backup(&config.database_url, &options.file).map_err(|e| sentence(&e))?;
    tell_backup("The backup is", &made, options.json)
}

pub(super) fn restore(config: &Config, options: &Restored) -> Result<(), String> {
    let erased = options.since.list()?;
    let (from, url) = (&options.file, &config.database_url);
    let known = erased.as_deref().unwrap_or_default();
    let restored = restore::restore(
        from,
        url,
        known,
        (&config.webhooks.keys, Clock::System.now()),
    );
    let restored = restored.map_err(|error| sentence(&error))?;
    match erased {
        None => log::warn!(
            "who was erased since the backup was made is in it again: `handbill erase` removes them, or restore it with \
             --erasures and what `handbill erasures` has printed, or the URL of the database that this one takes the place of"
        ),
        Some(_) if options.json => {}
        Some(all) => say(&format!(
            "{} of the {} who were erased were in the backup, and are not any more.",
            restored.erased,
            all.len()
        )),
    }
    match restored.place {
        Place::AsFile(made) => tell_backup("The database is", &made, options.json),
        Place::IntoPostgres(moved) => tell_move(&moved, options.json),
    }
}

pub(super) fn relocate(config: &Config, options: &Destination) -> Result<(), String> {
    if !is_database_url(&options.to) {
        return Err("--to must be sqlite://PATH or postgres://…".to_owned());
    }
    let moved = relocate::relocate(&config.database_url, &options.to, Clock::System.now());
    let moved = moved.map_err(|error| sentence(&error))?;
    tell_move(&moved, options.json)
}

pub(super) fn export(config: &Config, options: &Exported) -> Result<(), String> {
    migrations::check(&config.database_url)?;
    match options.file.as_os_str() == "-" {
        true => write_export(config, options, &mut stdout().lock()).map(|_| ()),
        false => export_to_file(config, options, &options.file),
    }
}

fn export_to_file(config: &Config, options: &Exported, place: &Path) -> Result<(), String> {
    let draft = Draft::begin(place).map_err(|error| sentence(&error))?;
    let file = File::create(draft.path()).map_err(|error| error.to_string())?;
    let rows = write_export(config, options, &mut BufWriter::new(file))?;
    draft.finish().map_err(|error| sentence(&error))?;
    say(&format!("{} has {rows} rows.", place.display()));
    Ok(())
}

fn write_export(config: &Config, options: &Exported, out: &mut impl Write) -> Result<i64, String> {
    let wanted = options.account.as_deref().unwrap_or(DEFAULT_NAME);
    let now = Clock::System.now();
    let mut exported = || {
        let mut conn = DbConnection::open_for_long(&config.database_url)?;
        export::prepare(&mut conn)?;
        let account = queries::find_by_name_or_id(&mut conn, wanted)?;
        let account = account.ok_or(Error::NotFound("Account"))?;
        let (id, action) = (&account.id, Action::AccountExported);
        note(&mut conn, &Act::new(id, None, action, &id.text(), now))?;
        on_a_snapshot(&mut conn, |conn| export::export(conn, &account, now, out))
    };
    exported().map_err(|error| sentence(&error))
}

pub(super) fn import(config: &Config, options: &Imported) -> Result<(), String> {
    let name = options.name.as_deref().map(Name::parse).transpose();
    let name = name.map_err(|complaint| complaint.into_sentence("--name"))?;
    let input: Box<dyn BufRead> = match options.file.as_os_str() == "-" {
        true => Box::new(stdin().lock()),
        false => {
            let file = File::open(&options.file);
            let file = file.map_err(|error| format!("{}: {error}", options.file.display()))?;
            Box::new(BufReader::new(file))
        }
    };
    let erased = options.since.list()?;
    super::bring_there_up_to_date(&config.database_url)?;
    let imported = DbConnection::open_for_long(&config.database_url)
        .and_then(|mut conn| {
            let erased = erased.as_deref().unwrap_or_default();
            let (keys, now) = (&config.webhooks.keys, Clock::System.now());
            import::import(&mut conn, input, name.as_ref(), erased, keys, now)
        })
        .map_err(|error| sentence(&error))?;
    if options.json {
        return print_json(&json!({
            "account_id": imported.account_id, "account": imported.account, "rows": imported.rows,
            "erased": imported.erased,
        }));
    }
    say(&format!(
        "The account {} ({}) is here, with {} rows.",
        imported.account, imported.account_id, imported.rows
    ));
    match erased {
        Some(_) => say(&format!("{} people are erased in it.", imported.erased)),
        None => say(&format!(
            "Who was erased since it was exported ({}) is in it: `handbill erase` removes them, or import it with --erasures.",
            imported.exported_at
        )),
    }
    Ok(())
}

fn tell_backup(what: &str, made: &Backup, json: bool) -> Result<(), String> {
    let differences = made.report.as_ref().map(Report::count);
    match json {
        true => print_json(&json!({
            "file": made.place, "bytes": made.bytes, "verified": made.report.is_some(), "differences": differences,
        }))?,
        false => say(&format!(
            "{what} at {} ({} bytes). {}",
            made.place.display(),
            made.bytes,
            match differences {
                None => "It is whole, and of an older version: what is in it was not added up.",
                Some(0) => "It is whole, and everything adds up.",
                Some(_) => "It is whole.",
            }
        )),
    }
    differences.map_or(Ok(()), adds_up)
}

fn tell_move(moved: &Moved, json: bool) -> Result<(), String> {
    match json {
        true => print_json(&json!({
            "tables": moved.tables, "differences": moved.report.count(),
        }))?,
        false => {
            for copied in &moved.tables {
                say(&format!(
                    "{:>10}  {:<20} {}…",
                    copied.rows,
                    copied.table,
                    &copied.sum[..12]
                ));
            }
            say(
                "All rows are there, and the same. Set DATABASE_URL to the new database and start the servers.",
            );
        }
    }
    adds_up(moved.report.count())
}

/// What is kept is kept all the same, as it is in the database that it was made of.
fn adds_up(differences: i64) -> Result<(), String> {
    match differences {
        0 => Ok(()),
        n => Err(format!(
            "what is in it does not add up ({n} differences); `handbill verify` tells them"
        )),
    }
}
