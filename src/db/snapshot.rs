//! Many statements on one state of the database.

use diesel::connection::AnsiTransactionManager;

use super::DbConnection;
use crate::error::Error;

/// Runs `work` on the database as it is when its first statement runs, whatever is written meanwhile. `work` only
/// reads: PostgreSQL refuses everything else, and so does a connection of SQLite's that was opened for reading.
pub(super) fn on_a_snapshot<T>(
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
