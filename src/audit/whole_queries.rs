//! Statements about the database as a whole, and not about one account.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Integer, Nullable};

use super::queries::Found;
use crate::db::DbConnection;
use crate::ids::AccountId;

#[derive(QueryableByName)]
struct Next {
    #[diesel(sql_type = Nullable<Integer>)]
    account: Option<AccountId>,
}

/// The next account behind `after`, or the first, of which `table` has rows.
pub(super) fn account_behind(
    conn: &mut DbConnection,
    table: &str,
    after: Option<AccountId>,
) -> QueryResult<Option<AccountId>> {
    let statement = format!("SELECT MIN(account_id) AS account FROM {table} WHERE account_id > $1");
    let next: Next = sql_query(statement)
        .bind::<Integer, _>(after.map_or(-1, AccountId::number))
        .get_result(conn)?;
    Ok(next.account)
}

/// What SQLite says about its file: pages, indexes, constraints, and references between rows.
pub(super) fn complaints_of_sqlite(conn: &mut DbConnection) -> QueryResult<Vec<Found>> {
    if matches!(conn, DbConnection::Postgres(_)) {
        return Ok(Vec::new());
    }
    let mut found: Vec<Found> = sql_query(
        "SELECT 'the file' AS about, integrity_check AS problem FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    )
    .load(conn)?;
    let dangling: Vec<Found> = sql_query(
        "SELECT \"table\" || ' row ' || COALESCE(rowid, '?') AS about, \
         'it points at a row of ' || parent || ' that is not there' AS problem FROM pragma_foreign_key_check",
    )
    .load(conn)?;
    found.extend(dangling);
    Ok(found)
}
