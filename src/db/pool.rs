//! The pool of connections that read (and, on PostgreSQL, write).

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{self, ManageConnection, PooledConnection, R2D2Connection};

use super::DbConnection;
use crate::error::Error;

pub(super) type Pool = r2d2::Pool<Manager>;

/// Opens connections by our own rules; diesel's manager would guess the database by trying.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    url: String,
}

impl ManageConnection for Manager {
    type Connection = DbConnection;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<DbConnection, r2d2::Error> {
        open_reader(&self.url)
    }

    fn is_valid(&self, conn: &mut DbConnection) -> Result<(), r2d2::Error> {
        conn.ping().map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut DbConnection) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// A connection that, on SQLite, refuses to write: that is the writer's, and a read that tries to is a defect.
pub(super) fn open_reader(url: &str) -> Result<DbConnection, r2d2::Error> {
    let mut conn = DbConnection::open(url).map_err(r2d2::Error::ConnectionError)?;
    if let DbConnection::Sqlite(inner) = &mut conn {
        inner
            .batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -2000")
            .map_err(r2d2::Error::QueryError)?;
    }
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
        log::warn!("database connection: {error}");
    }
}
