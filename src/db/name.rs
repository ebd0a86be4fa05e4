//! Names that are held: what has no row yet that could be locked.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Text};

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

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

/// The same without waiting. `false`: somebody else holds the name.
pub(crate) fn try_hold(conn: &mut DbConnection, parts: &[&str]) -> QueryResult<bool> {
    match conn {
        DbConnection::Sqlite(_) => Ok(true),
        DbConnection::Postgres(conn) => {
            let statement =
                "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 26723)) AS taken";
            let answer: Taken = sql_query(statement)
                .bind::<Text, _>(parts.join("\u{1f}"))
                .get_result(conn)?;
            Ok(answer.taken)
        }
    }
}
