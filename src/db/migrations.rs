//! The schema's history, embedded in the binary: picks the folder of the database at hand and runs what is
//! missing, one process at a time.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{DbConnection, unfinished};
use crate::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock that a migrating process holds on PostgreSQL: "handbill" in ASCII.
const LOCK: i64 = 0x6861_6e64_6269_6c6c;

/// Brings the database at `url` up to date and says which migrations that took.
///
/// # Errors
/// A sentence: the database cannot be reached, a migration failed, or the database was migrated by a newer
/// handbill than this one, or another one is being copied into it, and then it is left alone.
pub fn run(url: &str) -> Result<Vec<String>, String> {
    refuse_unfinished(&mut open(url)?)?;
    bring_up_to_date(url)
}

/// The same, also while another database is being copied into this one.
pub(crate) fn bring_up_to_date(url: &str) -> Result<Vec<String>, String> {
    let mut conn = open(url)?;
    conn.pending(|conn| match conn {
        DbConnection::Sqlite(inner) => {
            refuse_newer(inner.applied_migrations(), names::<Sqlite>(&SQLITE)?)?;
            inner.run_pending_migrations(SQLITE).map(|done| said(&done))
        }
        DbConnection::Postgres(inner) => {
            refuse_newer(inner.applied_migrations(), names::<Pg>(&POSTGRES)?)?;
            inner
                .run_pending_migrations(POSTGRES)
                .map(|done| said(&done))
        }
    })
    .map_err(|error| format!("cannot migrate the database: {error}"))
}

/// Whether the database at `url` is up to date; nothing is changed.
///
/// # Errors
/// A sentence: the database cannot be reached, or is not up to date.
pub fn check(url: &str) -> Result<(), String> {
    let mut conn = DbConnection::open_for_long(url).map_err(|error| match error {
        Error::Unavailable(cause) => cause,
        other => other.to_string(),
    })?;
    refuse_unfinished(&mut conn)?;
    match is_current(&mut conn) {
        true => Ok(()),
        false => Err(
            "the database is not the one this handbill knows; `handbill migrate` brings an older one up to date"
                .to_owned(),
        ),
    }
}

/// Whether the migrations of the database at hand are the ones in this binary.
pub(super) fn is_current(conn: &mut DbConnection) -> bool {
    let Ok(mut applied) = applied(conn) else {
        return false;
    };
    applied.sort();
    embedded().is_ok_and(|embedded| embedded == applied)
}

/// Whether the database at `url` has something in it, and is older than this handbill. One that is newer is not.
///
/// # Errors
/// A sentence: the database cannot be reached.
pub fn are_missing(url: &str) -> Result<bool, String> {
    let applied = applied(&mut open(url)?);
    let applied = applied.map_err(|error| format!("cannot read the database: {error}"))?;
    let known = embedded()?;
    let is_known = applied.iter().all(|version| known.contains(version));
    Ok(is_known && !applied.is_empty() && applied.len() < known.len())
}

/// The names of the migrations that the database has.
fn applied(conn: &mut DbConnection) -> Outcome<Vec<String>> {
    let applied = match conn {
        DbConnection::Sqlite(inner) => inner.applied_migrations(),
        DbConnection::Postgres(inner) => inner.applied_migrations(),
    };
    Ok(said(&applied?))
}

/// The names of the embedded migrations, oldest first; the same for both databases.
pub fn embedded() -> Result<Vec<String>, String> {
    names::<Sqlite>(&SQLITE).map_err(|error| error.to_string())
}

fn open(url: &str) -> Result<DbConnection, String> {
    DbConnection::open(url).map_err(|error| format!("cannot open the database: {error}"))
}

fn refuse_unfinished(conn: &mut DbConnection) -> Result<(), String> {
    let origin = unfinished::origin(conn);
    match origin.map_err(|error| format!("cannot read the database: {error}"))? {
        None => Ok(()),
        Some(origin) => Err(format!(
            "{origin} is being copied into this database, and not all of it is there; finish that first"
        )),
    }
}

type Outcome<T> = diesel::migration::Result<T>;

impl DbConnection {
    /// Runs `migrate` while no other process can: under SQLite's write lock, or PostgreSQL's advisory one.
    fn pending<T>(&mut self, migrate: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if matches!(self, Self::Sqlite(_)) {
            // Each migration's own transaction becomes a savepoint in this one: all or none.
            self.begin_write()?;
            let done = migrate(self);
            match done {
                Ok(_) => self.commit()?,
                Err(_) => self.rollback()?,
            }
            return done;
        }
        self.batch_execute(&format!(
            "SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"
        ))?;
        let done = migrate(self);
        self.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
        done
    }
}

fn names<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Outcome<Vec<String>> {
    let mut names: Vec<String> = MigrationSource::<DB>::migrations(source)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    names.sort();
    Ok(names)
}

fn refuse_newer(
    applied: Outcome<Vec<diesel::migration::MigrationVersion<'static>>>,
    known: Vec<String>,
) -> Outcome<()> {
    let known: BTreeSet<String> = known.into_iter().collect();
    match applied?
        .iter()
        .map(ToString::to_string)
        .find(|version| !known.contains(version))
    {
        None => Ok(()),
        Some(version) => Err(format!(
            "it was migrated by a newer handbill (migration {version} is unknown to this one); \
             run that version, or restore a backup made before the upgrade"
        )
        .into()),
    }
}

fn said(versions: &[diesel::migration::MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
