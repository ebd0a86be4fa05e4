//! Many statements on one state of the database, and many that happen together or not at all, on a connection of the
//! caller's own. For the command line; a server has its two doors.

use diesel::connection::{AnsiTransactionManager, SimpleConnection};

use super::DbConnection;
use crate::error::Error;

/// Runs `work` on the database as it is when its first statement runs, whatever is written meanwhile. `work` only
/// reads: PostgreSQL refuses everything else, and so does a connection of SQLite's that was opened for reading.
pub(crate) fn on_a_snapshot<T>(
    conn: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    match conn {
        DbConnection::Postgres(inner) => AnsiTransactionManager::begin_transaction_sql(
            inner,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
        // Deferred: it never wants the lock for writing. With a write-ahead log, readers see the state they began with.
        DbConnection::Sqlite(inner) => {
            AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN DEFERRED")
        }
    }?;
    let outcome = work(conn);
    // There is nothing to keep.
    conn.rollback()?;
    outcome
}

/// Runs `work`, which only reads, while nobody writes to any of `tables`. On SQLite nobody writes at all.
pub(crate) fn while_nobody_writes<T>(
    conn: &mut DbConnection,
    tables: &str,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    conn.begin_write()?;
    let held = match conn {
        DbConnection::Postgres(inner) => {
            inner.batch_execute(&format!("LOCK TABLE {tables} IN SHARE MODE"))
        }
        DbConnection::Sqlite(_) => Ok(()),
    };
    let outcome = held.map_err(Error::from).and_then(|()| work(conn));
    conn.rollback()?;
    outcome
}

/// Runs `work` in one transaction: all that it wrote is there when it succeeds, and nothing when it fails.
pub(crate) fn all_or_nothing<T>(
    conn: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    conn.begin_write()?;
    match work(conn) {
        Ok(value) => {
            conn.commit()?;
            Ok(value)
        }
        Err(error) => {
            conn.rollback()?;
            Err(error)
        }
    }
}
