//! What there is at a database's address: one of ours, of which version; nothing; or something of somebody else's. It is
//! looked at on a connection that cannot write, so every row stays as it is. (SQLite may put what is in a log that somebody
//! has left into the file, as at every opening.)

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;

use super::connection::{impatient, patiently};
use super::snapshot::on_a_snapshot;
use super::{DbConnection, address, migrations};
use crate::error::Error;

/// The table in which diesel keeps which migrations were run.
const MIGRATIONS: &str = "__diesel_schema_migrations";

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No table at all.
    Nothing,
    /// Tables, and none of our migrations.
    NotOurs,
    /// One of ours, in which migrations are missing.
    Older,
    /// One of ours, as this program has it.
    Current,
    /// One of ours, with this migration that is unknown here.
    Newer(String),
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Standing {
    /// What there is at `url`. An error has the cause alone, and not the address.
    pub(crate) fn at(url: &str) -> Result<Self, String> {
        let path = url.strip_prefix("sqlite://").map(Path::new);
        if path.is_some_and(|path| !path.exists()) {
            return Ok(Self::Nothing);
        }
        let mut conn = look(url)?;
        // One state of the database: somebody may migrate it just now.
        on_a_snapshot(&mut conn, |conn| Ok(Self::of(conn)?)).map_err(|error| match error {
            Error::Unavailable(cause) => cause,
            Error::Internal(cause) => cause.to_string(),
            other => other.to_string(),
        })
    }

    /// What this is a connection to.
    pub(super) fn of(conn: &mut DbConnection) -> QueryResult<Self> {
        let tables = tables(conn)?;
        let applied = match tables.iter().any(|table| table == MIGRATIONS) {
            true => names(
                conn,
                &format!("SELECT version AS name FROM {MIGRATIONS} ORDER BY version"),
            )?,
            false => Vec::new(),
        };
        let known = migrations::embedded().unwrap_or_default();
        let unknown = applied.iter().find(|version| !known.contains(version));
        Ok(match unknown {
            _ if applied.iter().all(|version| !known.contains(version)) => {
                match tables.iter().all(|table| table == MIGRATIONS) {
                    true => Self::Nothing,
                    false => Self::NotOurs,
                }
            }
            Some(version) => Self::Newer(version.clone()),
            None if applied.len() < known.len() => Self::Older,
            None => Self::Current,
        })
    }

    /// Why what is at `url` is not to be migrated; a sentence.
    pub(super) fn in_the_way(&self, url: &str) -> Option<String> {
        match self {
            Self::NotOurs | Self::Newer(_) => self.complaint(url),
            Self::Nothing | Self::Older | Self::Current => None,
        }
    }

    /// Why what is at `url` is no database for this program; a sentence that says what to do.
    pub(crate) fn complaint(&self, url: &str) -> Option<String> {
        let what = address::shown(url);
        match self {
            Self::Nothing => {
                let missing = match url.strip_prefix("sqlite://").map(Path::new) {
                    Some(path) if !path.is_file() => "there is no file",
                    _ => "there is no handbill database at",
                };
                Some(format!(
                    "{missing} {what}; set DATABASE_URL to the server's database, or make a new one there with `handbill \
                     migrate`"
                ))
            }
            Self::NotOurs => Some(format!(
                "{what} is no database of handbill's: it has tables, and none of them are; set DATABASE_URL to another"
            )),
            Self::Older => Some(format!(
                "{what} is of an older handbill; stop its servers, and `handbill migrate` brings it up to date"
            )),
            Self::Newer(version) => Some(format!(
                "{what} was migrated by a newer handbill (migration {version} is unknown to this one); run that version, \
                 or restore a backup made before the upgrade"
            )),
            Self::Current => None,
        }
    }
}

/// Connects to what is at `url`, whatever it is, without the settings that change a file, and cannot write. There must be a
/// file there.
pub(super) fn look(url: &str) -> Result<DbConnection, String> {
    let opened = match url.strip_prefix("sqlite://") {
        None => PgConnection::establish(&impatient(url)).map(DbConnection::Postgres),
        Some(path) => SqliteConnection::establish(path).map(DbConnection::Sqlite),
    };
    let mut conn = opened.map_err(|error| error.to_string())?;
    let ready = match &mut conn {
        DbConnection::Postgres(inner) => inner.batch_execute(
            "SET default_transaction_read_only = on; SET client_min_messages = warning",
        ),
        // The first thing that is read from the file may meet somebody who makes it.
        DbConnection::Sqlite(inner) => patiently(|| {
            inner.batch_execute(
                "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
                 SELECT count(*) FROM sqlite_master",
            )
        }),
    };
    ready.map_err(|error| error.to_string())?;
    Ok(conn)
}

/// All tables; an extension's are nobody's.
fn tables(conn: &mut DbConnection) -> QueryResult<Vec<String>> {
    let query = match conn {
        DbConnection::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
        }
        DbConnection::Postgres(_) => {
            "SELECT c.relname::text AS name FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT EXISTS ( \
                 SELECT 1 FROM pg_catalog.pg_depend d \
                 WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
        }
    };
    names(conn, query)
}

fn names(conn: &mut DbConnection, query: &str) -> QueryResult<Vec<String>> {
    let rows: Vec<Named> = sql_query(query).load(conn)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}
