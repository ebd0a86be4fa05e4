//! The command line: what can be asked for, and what is printed. Failures are one sentence on standard
//! error and a non-zero exit.

mod accounts;
mod copies;
mod demo;
mod erase;
mod erasures;
mod keys;
mod listen;
mod logging;
mod serve;
mod verify;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::app;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, LogFormat};
use crate::copies::before_upgrade;
use crate::db::{Db, DbConnection, address, file, migrations};
use crate::error::Error;

/// The backend of an ambassador programme that recruits through QR posters.
///
/// Settings come from the environment: DATABASE_URL, HANDBILL_BIND, HANDBILL_PUBLIC_URL and others;
/// docs/configuration.md lists them.
#[derive(Parser)]
#[command(name = "handbill", version)]
struct Cli {
    /// What to do; `serve` when left out
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Open the database, bring it up to date, and listen
    Serve,
    /// The same on a throw-away database with a story in it; prints curl lines to try
    Demo,
    /// The tenants: every program and key belongs to an account
    Accounts {
        #[command(subcommand)]
        command: accounts::Command,
    },
    /// The secret keys that open an account
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Bring the database up to date and stop
    Migrate {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add every balance and total up again and compare; a difference is a failure
    ///
    /// Reads one state of the database while servers go on working, and changes nothing.
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove what is personal about somebody, wherever it stands; ids, amounts and totals stay
    Erase(erase::Options),
    /// Print who was erased, a line of JSON for each: ids, nothing personal. Keep it apart from the backups
    Erasures,
    /// Copy everything into a file, while servers go on working
    ///
    /// The file is a SQLite database, whichever database this is. It gets its name when it is whole, looked through and on
    /// disk, and has everything that was answered before the command began.
    Backup(copies::OneFile),
    /// Put a backup where DATABASE_URL says, where there must be nothing yet
    ///
    /// The backup stays as it is. One of an older version is brought up to date on the way. Whoever was erased since it was
    /// made is erased in what is put in place, so say who that is.
    Restore(copies::Restored),
    /// Write an account down, a line of JSON for every row, with its keys and secrets
    Export(copies::Exported),
    /// Read an exported account into this database, all of it or nothing
    Import(copies::Imported),
    /// Copy everything into another, empty database, and compare
    ///
    /// Stop the servers first: nobody can write meanwhile. If it is interrupted, the same command goes on where it was.
    /// Both sides are compared row by row at the end. This database stays as it was.
    Move(copies::Destination),
    /// Follow a running server's events, print them, and forward them to a program on this machine
    Listen(Box<listen::Options>),
    /// Print the OpenAPI document
    Openapi,
}

/// Does what the arguments ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; clap knows which is which.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match perform(cli.command.unwrap_or(Command::Serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            let _ = writeln!(std::io::stderr(), "handbill: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> Result<(), String> {
    if let Command::Openapi = command {
        let document = app::openapi()
            .to_pretty_json()
            .map_err(|error| error.to_string())?;
        say(&document);
        return Ok(());
    }
    if let Command::Listen(options) = command {
        logging::start(LogFormat::Text);
        return listen::listen(&options);
    }
    let config = Config::from_env()?;
    logging::start(config.log_format);
    match command {
        Command::Serve => serve::serve(config),
        Command::Demo => demo::demo(config),
        Command::Accounts { command } => accounts::perform(&config, command),
        Command::Keys { command } => keys::perform(&config, command),
        Command::Migrate { json } => migrate(&config, json),
        Command::Verify { json } => verify::verify(&config, json),
        Command::Erase(options) => erase::perform(&config, &options),
        Command::Erasures => erasures::show(&config),
        Command::Backup(options) => copies::backup(&config, &options),
        Command::Restore(options) => copies::restore(&config, &options),
        Command::Export(options) => copies::export(&config, &options),
        Command::Import(options) => copies::import(&config, &options),
        Command::Move(options) => copies::relocate(&config, &options),
        Command::Openapi | Command::Listen(_) => Ok(()),
    }
}

fn migrate(config: &Config, json: bool) -> Result<(), String> {
    let applied = bring_up_to_date(&config.database_url)?;
    if json {
        return print_json(&serde_json::json!({ "applied": applied }));
    }
    match applied.len() {
        0 => say("The database is up to date."),
        n => say(&format!(
            "Applied {n} migrations, the last {}.",
            applied[n - 1]
        )),
    }
    Ok(())
}

/// Migrates the database, if that is needed: not a SQLite file that an older server is running on.
fn bring_up_to_date(url: &str) -> Result<Vec<String>, String> {
    let held = match migrations::are_missing(url)? {
        true => file::hold_from_servers(url).map_err(|error| sentence(&error))?,
        false => None,
    };
    let done = upgrade(url);
    drop(held);
    done
}

/// Migrates the database, which this process holds, if that is needed; a SQLite file is copied first.
fn upgrade(url: &str) -> Result<Vec<String>, String> {
    let kept = before_upgrade::keep(url, Clock::System.now());
    if let Some(place) = kept.map_err(|error| sentence(&error))? {
        log::info!(
            "copied the database to {} before its upgrade",
            place.display()
        );
    }
    migrations::run(url)
}

/// Runs `work`, which only reads, on the configured database as it is: an older one is not brought up to date for it, and
/// nothing is made where there is none.
fn read<T>(
    config: &Config,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, String> {
    migrations::check(&config.database_url)?;
    DbConnection::open_to_read(&config.database_url)
        .and_then(|mut conn| work(&mut conn))
        .map_err(|error| sentence(&error))
}

/// The same as [`write`], where a database is made if there is none. That is said: with a mistyped path somebody holds a key to
/// a database that no server has.
fn write_or_begin<T: Send + 'static>(
    config: &Config,
    work: impl Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
) -> Result<T, String> {
    let url = &config.database_url;
    if migrations::expect(url).is_err() {
        bring_up_to_date(url)?;
        let place = address::shown(url);
        log::warn!("there was no database at {place}; it was made");
    }
    write(config, work)
}

/// Runs `work` as one write on the configured database, which has to be there and is brought up to date first.
fn write<T: Send + 'static>(
    config: &Config,
    work: impl Fn(&mut DbConnection, Timestamp) -> Result<T, Error> + Send + 'static,
) -> Result<T, String> {
    bring_there_up_to_date(&config.database_url)?;
    let db = Db::open(&config.database_url, 1, Clock::System).map_err(|error| sentence(&error))?;
    let system = actix_web::rt::System::new();
    system
        .block_on(db.write(work))
        .map_err(|error| sentence(&error))
}

/// The same as [`bring_up_to_date`], of a database that has to be there.
fn bring_there_up_to_date(url: &str) -> Result<(), String> {
    migrations::expect(url)?;
    bring_up_to_date(url).map(|_| ())
}

/// An error for the person at the terminal, who may see causes.
fn sentence(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) => format!("the database cannot be used: {cause}"),
        Error::Internal(cause) => cause.to_string(),
        _ => error.to_string(),
    }
}

/// Prints a line. A reader that has gone away is no reason to stop: `handbill demo | head` goes on serving.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn print_json(value: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    say(&text);
    Ok(())
}
