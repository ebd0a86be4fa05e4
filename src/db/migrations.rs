//! The schema's history, embedded in the binary: picks the folder of the database at hand and runs what is
//! missing, one process at a time.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::standing::Standing;
use super::{DbConnection, address, unfinished};
use crate::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock that a migrating process holds on PostgreSQL: "handbill" in ASCII.
const LOCK: i64 = 0x6861_6e64_6269_6c6c;

/// Brings the database at `url` up to date and says which migrations that took. Where there is none, it makes one.
///
/// # Errors
/// A sentence: the database cannot be reached, a migration failed; or it was migrated by a newer handbill than this one,
/// there are somebody else's tables in it, or another one is being copied into it, and then it is left alone.
pub fn run(url: &str) -> Result<Vec<String>, String> {
    // Before anything is opened that writes.
    may_run(url)?;
    refuse_unfinished(&mut open(url)?)?;
    bring_up_to_date(url)
}

/// The same, also while another database is being copied into this one.
pub(crate) fn bring_up_to_date(url: &str) -> Result<Vec<String>, String> {
    may_run(url)?;
    let mut conn = open(url)?;
    conn.pending(|conn| {
        // It may have become something else in the meantime.
        if let Some(sentence) = Standing::of(conn)?.in_the_way(url) {
            return Err(sentence.into());
        }
        match conn {
            DbConnection::Sqlite(inner) => {
                inner.run_pending_migrations(SQLITE).map(|done| said(&done))
            }
            DbConnection::Postgres(inner) => inner
                .run_pending_migrations(POSTGRES)
                .map(|done| said(&done)),
        }
    })
    .map_err(|error| format!("cannot migrate the database: {error}"))
}

/// Whether what is at `url` may be migrated: there is nothing yet, or a database of ours that is not newer than this
/// handbill. Nothing is changed.
///
/// # Errors
/// A sentence: the database cannot be reached, or it may not.
pub fn may_run(url: &str) -> Result<(), String> {
    refuse(standing(url)?.in_the_way(url))
}

/// Whether the database at `url` is there and up to date; nothing is changed.
///
/// # Errors
/// A sentence: the database cannot be reached, is not up to date, or is none of ours.
pub fn check(url: &str) -> Result<(), String> {
    expect(url)?;
    refuse(standing(url)?.complaint(url))
}

/// Whether there is a database of ours at `url`, of this version or an older one; nothing is changed.
///
/// # Errors
/// A sentence: the database cannot be reached, or there is none, or a newer one, or none of ours.
pub fn expect(url: &str) -> Result<(), String> {
    match standing(url)? {
        Standing::Older => {}
        other => refuse(other.complaint(url))?,
    }
    let mut conn = DbConnection::open_to_read(url).map_err(|error| match error {
        Error::Unavailable(cause) => cause,
        other => other.to_string(),
    })?;
    refuse_unfinished(&mut conn)
}

/// Whether the migrations of the database at hand are the ones in this binary.
pub(super) fn is_current(conn: &mut DbConnection) -> bool {
    matches!(Standing::of(conn), Ok(Standing::Current))
}

/// Whether the database at `url` has something of ours in it, and is older than this handbill.
///
/// # Errors
/// A sentence: the database cannot be reached.
pub fn are_missing(url: &str) -> Result<bool, String> {
    Ok(standing(url)? == Standing::Older)
}

/// The names of the embedded migrations, oldest first; the same for both databases.
pub fn embedded() -> Result<Vec<String>, String> {
    names::<Sqlite>(&SQLITE).map_err(|error| error.to_string())
}

fn open(url: &str) -> Result<DbConnection, String> {
    DbConnection::open(url).map_err(|error| format!("cannot open the database: {error}"))
}

fn standing(url: &str) -> Result<Standing, String> {
    Standing::at(url)
        .map_err(|cause| format!("cannot open the database: {}", address::failed(url, &cause)))
}

fn refuse(sentence: Option<String>) -> Result<(), String> {
    sentence.map_or(Ok(()), Err)
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

fn said(versions: &[diesel::migration::MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
