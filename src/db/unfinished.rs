//! A database that another one is being copied into says so, until all of it is there: whoever goes on with the copy
//! knows that it is his, and nobody else takes it for a database to work with.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use super::DbConnection;

/// No table of the schema: it is there only meanwhile.
const NAME: &str = "__handbill_copy";

#[derive(QueryableByName)]
struct Origin {
    #[diesel(sql_type = Text)]
    origin: String,
}

/// From where this database is being copied, if it is.
pub fn origin(conn: &mut DbConnection) -> QueryResult<Option<String>> {
    let there = match conn {
        DbConnection::Sqlite(_) => "SELECT name AS origin FROM sqlite_master WHERE name = $1",
        DbConnection::Postgres(_) => {
            "SELECT table_name::text AS origin FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_name = $1"
        }
    };
    let there: Option<Origin> = sql_query(there)
        .bind::<Text, _>(NAME)
        .get_result(conn)
        .optional()?;
    if there.is_none() {
        return Ok(None);
    }
    let origin: Option<Origin> = sql_query(format!("SELECT origin FROM {NAME}"))
        .get_result(conn)
        .optional()?;
    Ok(origin.map(|row| row.origin))
}

/// From now on it is being copied from there.
pub(crate) fn begin(conn: &mut DbConnection, origin: &str) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "CREATE TABLE IF NOT EXISTS {NAME} (origin TEXT NOT NULL)"
    ))?;
    sql_query(format!("INSERT INTO {NAME} (origin) VALUES ($1)"))
        .bind::<Text, _>(origin)
        .execute(conn)?;
    Ok(())
}

/// All of it is there.
pub(crate) fn end(conn: &mut DbConnection) -> QueryResult<()> {
    conn.batch_execute(&format!("DROP TABLE {NAME}"))
}
