//! One connection to whichever database this process was started on.

use std::path::Path;
use std::thread;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::ConnectionError;
use diesel::sqlite::SqliteConnection;

use super::{address, order, standing};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;

/// busy_timeout first: switching to WAL may itself have to wait. Nothing about the cache: SQLite's own two megabytes are as
/// good as eight, because many a commit goes through the cache's whole table (docs/benchmarks.md).
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 16000; \
    PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

/// An acknowledged write is on disk whatever the server's default says.
const POSTGRES_SETTINGS: &str = "SET synchronous_commit = on; SET idle_in_transaction_session_timeout = '60s'; \
    SET statement_timeout = '30s'; SET client_min_messages = warning; SET jit = off";

/// What the client library does about a server that is gone without a word, unless the URL says otherwise: it gives up
/// connecting after five seconds, and a connection when nothing has come through for ten.
const GONE_WITHOUT_A_WORD: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// A connection to PostgreSQL or SQLite. Queries are written against this type; the few statements it
/// cannot express itself go through `on_each_database!`.
#[derive(diesel::MultiConnection)]
pub enum DbConnection {
    /// A server.
    Postgres(PgConnection),
    /// A file.
    Sqlite(SqliteConnection),
}

impl DbConnection {
    /// Whether `url` names a SQLite file.
    pub fn is_sqlite(url: &str) -> bool {
        url.starts_with("sqlite://")
    }

    /// Connects, and makes the connection keep our promises: full synchronisation, foreign keys, UTC. An error says which
    /// database it is about.
    pub fn open(url: &str) -> ConnectionResult<Self> {
        Self::connect(url)
            .map_err(|error| ConnectionError::BadConnection(address::failed(url, &error)))
    }

    fn connect(url: &str) -> ConnectionResult<Self> {
        match url.strip_prefix("sqlite://") {
            None => {
                let mut conn = PgConnection::establish(&impatient(url))?;
                conn.batch_execute(POSTGRES_SETTINGS)
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Self::Postgres(conn))
            }
            Some(path) => {
                let mut conn = SqliteConnection::establish(path)?;
                patiently(|| conn.batch_execute(SQLITE_SETTINGS))
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Self::Sqlite(conn))
            }
        }
    }

    /// Says so if there is no file at `url`: SQLite would make an empty one. A server speaks for itself.
    pub fn expect_at(url: &str) -> Result<(), Error> {
        match url.strip_prefix("sqlite://") {
            Some(path) if !Path::new(path).is_file() => {
                Err(Error::Unavailable(format!("there is no file {path}")))
            }
            _ => Ok(()),
        }
    }

    /// The same, for work that may take hours, on a database that has to be there.
    pub fn open_for_long(url: &str) -> Result<Self, Error> {
        Self::expect_at(url)?;
        let mut conn = Self::open(url).map_err(|error| Error::Unavailable(error.to_string()))?;
        if let Self::Postgres(inner) = &mut conn {
            inner.batch_execute(
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
            )?;
        }
        Ok(conn)
    }

    /// Connects to a database that has to be there, to read from it: it refuses to be written to.
    pub fn open_to_read(url: &str) -> Result<Self, Error> {
        Self::expect_at(url)?;
        standing::look(url).map_err(|cause| Error::Unavailable(address::failed(url, &cause)))
    }

    /// Forgets the plans of prepared statements: one that PostgreSQL made when a table was small goes on reading all
    /// of it when it has grown. (Planning anew at every call costs more than the call.)
    pub(super) fn forget_plans(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(inner) => inner.batch_execute("DISCARD PLANS"),
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Asks the database for a sign of life.
    pub(super) fn ping(&mut self) -> QueryResult<()> {
        self.batch_execute("SELECT 1")
    }

    /// Opens a transaction that intends to write. SQLite takes its lock up front, so that a reader who
    /// turns writer waits its turn instead of failing with "database is locked".
    pub(super) fn begin_write(&mut self) -> QueryResult<()> {
        match self {
            Self::Postgres(_) => Manager::begin_transaction(self),
            Self::Sqlite(inner) => {
                AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE")
            }
        }
    }

    pub(super) fn commit(&mut self) -> QueryResult<()> {
        Manager::commit_transaction(self)
    }

    pub(super) fn rollback(&mut self) -> QueryResult<()> {
        Manager::rollback_transaction(self)
    }
}

/// The URL of a server with the settings of [`GONE_WITHOUT_A_WORD`] that it does not have.
pub(super) fn impatient(url: &str) -> String {
    let (_, query) = place_of(url).split_once('?').unwrap_or_default();
    let has = |name: &str| {
        let mut parts = query.split('&');
        parts.any(|part| part.split('=').next() == Some(name))
    };
    let missing = GONE_WITHOUT_A_WORD.iter().filter(|(name, _)| !has(name));
    let missing: Vec<String> = missing
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let between = match place_of(url).contains('?') {
        false => "?",
        true if url.ends_with(['?', '&']) => "",
        true => "&",
    };
    match missing.is_empty() {
        true => url.to_owned(),
        false => format!("{url}{between}{}", missing.join("&")),
    }
}

/// What stands behind the credentials, in which there may be any sign. libpq takes what stands before the first `@` for them,
/// unless a `/` comes sooner.
fn place_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or(("", url));
    match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => &rest[at + 1..],
        _ => rest,
    }
}

/// Tries again for as long as the busy timeout: when several processes switch a new file to WAL at once, SQLite
/// turns all but one of them away without waiting.
pub(super) fn patiently(mut open: impl FnMut() -> QueryResult<()>) -> QueryResult<()> {
    let mut tries = 250;
    loop {
        match open() {
            Err(error) if tries > 0 && error.to_string().contains("database is locked") => {
                tries -= 1;
                thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

/// How long a plan is kept.
pub(super) const PLANNED_FOR: Duration = Duration::from_secs(5);

type Manager = <DbConnection as Connection>::TransactionManager;

/// Runs `work` in a transaction of its own: committed on `Ok`, rolled back on `Err`. Tried again when the
/// database broke a deadlock or a serialisation cycle at our expense.
pub(super) fn in_transaction<T>(
    conn: &mut DbConnection,
    clock: &Clock,
    work: impl Fn(&mut DbConnection, Timestamp) -> Result<T, Error>,
) -> Result<T, Error> {
    for attempt in 1..=5_u64 {
        conn.begin_write()?;
        let outcome = order::moment(conn, clock)
            .map_err(Error::from)
            .and_then(|now| work(conn, now));
        let error = match outcome {
            Ok(value) => match conn.commit() {
                Ok(()) => return Ok(value),
                Err(error) => Error::from(error),
            },
            Err(error) => {
                conn.rollback()?;
                error
            }
        };
        match &error {
            Error::Unavailable(cause) if attempt < 5 && worth_another_try(cause) => {
                thread::sleep(Duration::from_millis(attempt * 3));
            }
            _ => return Err(error),
        }
    }
    Err(Error::Unavailable(
        "the transaction kept colliding with others".to_owned(),
    ))
}

fn worth_another_try(cause: &str) -> bool {
    cause.contains("deadlock detected") || cause.contains("could not serialize")
}

/// Runs one diesel statement against whichever database is behind the connection: what the enum cannot express
/// (`ON CONFLICT`, inserts of many rows), and what is asked so often that the enum's own work would show (it puts
/// the SQL together at every call, where the connections behind it know the statement by its type).
macro_rules! on_each_database {
    ($conn:expr, |$inner:ident| $body:expr) => {
        match $conn {
            $crate::db::DbConnection::Postgres($inner) => $body,
            $crate::db::DbConnection::Sqlite($inner) => $body,
        }
    };
}

pub(crate) use on_each_database;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_of_a_server_says_stays_and_the_rest_is_added() {
        let bare = impatient("postgres://ada@db.example/handbill");
        assert!(bare.starts_with("postgres://ada@db.example/handbill?connect_timeout=5&"));
        let told = impatient("postgres://ada@db.example/handbill?connect_timeout=30");
        assert!(told.starts_with("postgres://ada@db.example/handbill?connect_timeout=30&keep"));
        assert_eq!(told.matches("connect_timeout").count(), 1);
        let odd = impatient("postgres://ada:1?connect_timeout=2&x@db.example/handbill");
        assert!(odd.starts_with(
            "postgres://ada:1?connect_timeout=2&x@db.example/handbill?connect_timeout=5&"
        ));
        assert!(impatient("postgres://db/x?").starts_with("postgres://db/x?connect_timeout=5&"));
        assert_eq!(impatient(&bare), bare, "nothing is missing");
    }
}
