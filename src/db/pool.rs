//! The pool of connections that read (and, on PostgreSQL, write).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::r2d2::{self, ManageConnection, PooledConnection, R2D2Connection};

use super::DbConnection;
use super::connection::PLANNED_FOR;
use crate::error::Error;

pub(super) type Pool = r2d2::Pool<Manager>;

/// Opens connections by our own rules; diesel's manager would guess the database by trying.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    url: String,
    /// When a connection last failed.
    failed: Arc<Mutex<Instant>>,
}

/// A connection and when it was last known to work.
pub(super) struct Pooled {
    conn: DbConnection,
    used: Instant,
    /// When plans were last forgotten.
    planned: Instant,
    has_failed: bool,
}

impl Pooled {
    /// Runs `work` on the connection, which is not used again if the database turns out to be away.
    pub(super) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let outcome = work(&mut self.conn);
        self.has_failed = matches!(outcome, Err(Error::Unavailable(_)));
        outcome
    }
}

impl Manager {
    fn last_failure(&self) -> Instant {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long that is believed.
const TRUSTED: Duration = Duration::from_secs(1);

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Pooled, r2d2::Error> {
        Ok(Pooled {
            conn: open_reader(&self.url)?,
            used: Instant::now(),
            planned: Instant::now(),
            has_failed: false,
        })
    }

    /// A connection that worked a moment ago is taken to work: asking costs a round trip per request. Not so after
    /// one of them has failed: then the server may have gone away, and all the others with it.
    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), r2d2::Error> {
        let trusted = pooled.used.elapsed() < TRUSTED && pooled.used > self.last_failure();
        if !trusted {
            pooled.conn.ping().map_err(r2d2::Error::QueryError)?;
        }
        if pooled.planned.elapsed() > PLANNED_FOR {
            let forgotten = pooled.conn.forget_plans();
            forgotten.map_err(r2d2::Error::QueryError)?;
            pooled.planned = Instant::now();
        }
        pooled.used = Instant::now();
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        let broken = pooled.has_failed || std::thread::panicking() || pooled.conn.is_broken();
        if broken {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        broken
    }
}

/// A connection that, on SQLite, refuses to write: that is the writer's, and a read that tries to is a defect.
pub(super) fn open_reader(url: &str) -> Result<DbConnection, r2d2::Error> {
    let mut conn = DbConnection::open(url).map_err(r2d2::Error::ConnectionError)?;
    match &mut conn {
        DbConnection::Sqlite(inner) => inner.batch_execute("PRAGMA query_only = ON"),
        // A request that somebody else's lock holds up is told so before its caller gives up.
        DbConnection::Postgres(inner) => inner.batch_execute("SET lock_timeout = '3s'"),
    }
    .map_err(r2d2::Error::QueryError)?;
    Ok(conn)
}

pub(super) fn open(url: &str, connections: u32) -> Result<Pool, Error> {
    // Only an address that nobody answers at is found out here; later trouble is the request's.
    drop(DbConnection::open(url).map_err(|error| Error::Unavailable(error.to_string()))?);
    r2d2::Pool::builder()
        .max_size(connections)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_secs(2))
        .error_handler(Box::new(LogErrors))
        .build(Manager {
            url: url.to_owned(),
            failed: Arc::new(Mutex::new(Instant::now())),
        })
        .map_err(|error| Error::Unavailable(error.to_string()))
}

pub(super) fn get(pool: &Pool) -> Result<PooledConnection<Manager>, Error> {
    pool.get()
        .map_err(|error| Error::Unavailable(error.to_string()))
}

#[derive(Debug)]
struct LogErrors;

impl<E: std::error::Error> r2d2::HandleError<E> for LogErrors {
    fn handle_error(&self, error: E) {
        // The client library writes whole paragraphs.
        let told = error.to_string();
        let told: Vec<&str> = told.split_whitespace().collect();
        log::warn!("database connection: {}", told.join(" "));
    }
}
