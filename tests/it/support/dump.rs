//! Everything that an account has, row by row.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use handbill::db::DbConnection;
use handbill::ids::AccountId;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut DbConnection, query: &str) -> Vec<String> {
    let lines: Vec<Line> = sql_query(query).load(conn).expect("lines");
    lines.into_iter().map(|line| line.line).collect()
}

/// Every row of the account in every table there is.
pub fn dump(conn: &mut DbConnection, account: AccountId) -> Vec<String> {
    let is_sqlite = matches!(conn, DbConnection::Sqlite(_));
    let tables = lines(
        conn,
        match is_sqlite {
            true => {
                "SELECT DISTINCT m.name AS line FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = 'account_id' ORDER BY 1"
            }
            false => {
                "SELECT table_name::text AS line FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND column_name = 'account_id' ORDER BY 1"
            }
        },
    );
    assert!(tables.len() > 20, "{tables:?}");
    let mut all = Vec::new();
    for table in tables {
        let row = match is_sqlite {
            true => {
                let columns = format!(
                    "SELECT 'quote(' || name || ')' AS line FROM pragma_table_info('{table}')"
                );
                lines(conn, &columns).join(" || ',' || ")
            }
            false => format!("{table}::text"),
        };
        let rows = format!(
            "SELECT '{table} ' || {row} AS line FROM {table} WHERE account_id = {} ORDER BY 1",
            account.number()
        );
        all.extend(lines(conn, &rows));
    }
    all
}
