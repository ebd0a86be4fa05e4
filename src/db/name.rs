//! Names that are held: what has no row yet that could be locked.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::DbConnection;

/// Holds the name that `parts` make together until the transaction ends; whoever else wants it waits. On PostgreSQL
/// two names may happen to be one lock: then somebody waits in vain, and nothing worse. SQLite has one writer: whoever
/// is here is alone.
pub(crate) fn hold(conn: &mut DbConnection, parts: &[&str]) -> QueryResult<()> {
    if let DbConnection::Postgres(conn) = conn {
        sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 26723))")
            .bind::<Text, _>(parts.join("\u{1f}"))
            .execute(conn)?;
    }
    Ok(())
}
