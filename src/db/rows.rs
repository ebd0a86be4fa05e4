//! Rows of any table, as JSON: read in the order of the key, and stored again, by either database. For copies; whoever
//! knows which table it is asks that noun's queries.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use serde_json::Value;

use super::DbConnection;
use super::tables::Table;
use crate::error::Error;
use crate::ids::AccountId;

/// How many rows are read or stored at once.
pub const TOGETHER: usize = 500;

/// A table with its columns, as the database at hand has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    table: &'static Table,
    columns: Vec<String>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Shape {
    /// Asks the database for the table's columns, in their order.
    pub fn of(conn: &mut DbConnection, table: &'static Table) -> QueryResult<Self> {
        let query = match conn {
            DbConnection::Sqlite(_) => {
                "SELECT name AS line FROM pragma_table_info($1) ORDER BY cid"
            }
            DbConnection::Postgres(_) => {
                "SELECT column_name::text AS line FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
            }
        };
        let columns: Vec<Line> = sql_query(query).bind::<Text, _>(table.name).load(conn)?;
        Ok(Self {
            table,
            columns: columns.into_iter().map(|column| column.line).collect(),
        })
    }

    /// The table.
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// The next rows behind `last`, in the order of the key: of all accounts, or of one.
    pub fn page(
        &self,
        conn: &mut DbConnection,
        account: Option<AccountId>,
        last: Option<&Value>,
    ) -> Result<Vec<Value>, Error> {
        let whose = account.map(|id| format!("{} = {}", self.table.account, id.number()));
        let behind = last.map(|row| {
            let reached: Vec<String> = self
                .table
                .key
                .iter()
                .map(|key| literal(&row[key]))
                .collect();
            format!("({}) > ({})", self.key(), reached.join(", "))
        });
        let conditions: Vec<String> = whose.into_iter().chain(behind).collect();
        let conditions = match conditions.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", conditions.join(" AND ")),
        };
        let query = format!(
            "SELECT {} AS line FROM {} {conditions} ORDER BY {} LIMIT {TOGETHER}",
            self.as_json(conn),
            self.table.name,
            self.key(),
        );
        let lines: Vec<Line> = sql_query(query).load(conn)?;
        lines
            .iter()
            .map(|row| serde_json::from_str(&row.line).map_err(Error::internal))
            .collect()
    }

    /// The last row in the order of the key.
    pub fn last(&self, conn: &mut DbConnection) -> Result<Option<Value>, Error> {
        let query = format!(
            "SELECT {} AS line FROM {} ORDER BY {} DESC LIMIT 1",
            self.as_json(conn),
            self.table.name,
            self.table.key.join(" DESC, "),
        );
        let line: Option<Line> = sql_query(query).get_result(conn).optional()?;
        line.map(|row| serde_json::from_str(&row.line).map_err(Error::internal))
            .transpose()
    }

    /// Stores rows that `page` has read, here or elsewhere.
    pub fn insert(&self, conn: &mut DbConnection, rows: &[Value]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let columns = self.columns.join(", ");
        let query = match conn {
            DbConnection::Sqlite(_) => {
                let values: Vec<String> = self
                    .columns
                    .iter()
                    .map(|column| format!("json_extract(value, '$.{column}')"))
                    .collect();
                format!(
                    "INSERT INTO {} ({columns}) SELECT {} FROM json_each($1)",
                    self.table.name,
                    values.join(", "),
                )
            }
            DbConnection::Postgres(_) => format!(
                "INSERT INTO {0} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{0}, $1::json)",
                self.table.name,
            ),
        };
        let rows = serde_json::to_string(rows).map_err(Error::internal)?;
        sql_query(query).bind::<Text, _>(rows).execute(conn)?;
        Ok(())
    }

    /// Whether `row` has these columns and no others.
    pub fn fits(&self, row: &Value) -> bool {
        row.as_object().is_some_and(|row| {
            row.len() == self.columns.len()
                && self.columns.iter().all(|name| row.contains_key(name))
        })
    }

    fn key(&self) -> String {
        self.table.key.join(", ")
    }

    fn as_json(&self, conn: &DbConnection) -> String {
        let pairs: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("'{column}', {column}"))
            .collect();
        match conn {
            DbConnection::Sqlite(_) => format!("json_object({})", pairs.join(", ")),
            DbConnection::Postgres(_) => format!("json_build_object({})::text", pairs.join(", ")),
        }
    }
}

/// A value of a key, for a statement.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
