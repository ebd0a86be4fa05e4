//! All tables of a database: copied into another one, compared with it.

use serde::Serialize;
use serde_json::Value;

use super::refused;
use super::sums::Sum;
use crate::accounts;
use crate::db::DbConnection;
use crate::db::rows::Shape;
use crate::db::snapshot::all_or_nothing;
use crate::db::tables::{TABLES, Table};
use crate::error::Error;
use crate::events;
use crate::ids::AccountId;

/// A table of which both sides have the same rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// What it is called.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: i64,
    /// What they add up to.
    pub sum: String,
}

/// Copies what `target` does not have yet, table by table in the order of their keys: so the last row that is there
/// says how far an earlier attempt has come.
pub(super) fn copy(source: &mut DbConnection, target: &mut DbConnection) -> Result<(), Error> {
    for table in TABLES {
        let shape = Shape::of(source, table)?;
        if shape != Shape::of(target, table)? {
            return Err(refused(format!(
                "{} has other columns there; both sides have to be of this version",
                table.name
            )));
        }
        let reached = shape.last(target)?;
        each_page(source, &shape, None, reached, |rows| {
            shape.insert(target, rows)
        })?;
    }
    Ok(())
}

/// Reads all of both sides again, and says what they have in common: everything, or it is an error.
pub(super) fn compare(
    source: &mut DbConnection,
    target: &mut DbConnection,
) -> Result<Vec<Copied>, Error> {
    let mut copied = Vec::new();
    let mut different = Vec::new();
    for table in TABLES {
        let (one, two) = (add_up(source, table, None)?, add_up(target, table, None)?);
        if one != two {
            different.push(format!(
                "{} ({} rows, {} there)",
                table.name, one.rows, two.rows
            ));
        }
        copied.push(Copied {
            table: table.name,
            rows: one.rows,
            sum: one.hex(),
        });
    }
    match different.is_empty() {
        true => Ok(copied),
        false => Err(refused(format!(
            "the copy is not what it was made of: {}. If that has changed since the copy was begun, empty the target and \
             begin again",
            different.join(", ")
        ))),
    }
}

/// What a table's rows, or one account's of them, add up to.
pub(super) fn add_up(
    conn: &mut DbConnection,
    table: &'static Table,
    account: Option<AccountId>,
) -> Result<Sum, Error> {
    let shape = Shape::of(conn, table)?;
    let mut sum = Sum::default();
    each_page(conn, &shape, account, None, |rows| {
        for row in rows {
            sum.add(row);
        }
        Ok(())
    })?;
    Ok(sum)
}

/// Shows `work` the rows behind `reached`, a page at a time.
pub(super) fn each_page(
    conn: &mut DbConnection,
    shape: &Shape,
    account: Option<AccountId>,
    mut reached: Option<Value>,
    mut work: impl FnMut(&[Value]) -> Result<(), Error>,
) -> Result<(), Error> {
    loop {
        let mut rows = shape.page(conn, account, reached.as_ref())?;
        work(&rows)?;
        match rows.pop() {
            None => return Ok(()),
            last => reached = last,
        }
    }
}

/// Gives events the numbers that PostgreSQL's are given after their commit, so that a copy has them in their order.
pub(super) fn number_events(conn: &mut DbConnection) -> Result<(), Error> {
    for account in accounts::queries::list(conn)? {
        all_or_nothing(conn, |conn| events::number::number(conn, &account.id))?;
    }
    Ok(())
}

/// The same in the caller's transaction, of those that came to the source in between: their places among those that wait
/// for a number mean nothing in another database.
pub(super) fn number_late_events(conn: &mut DbConnection) -> Result<(), Error> {
    for account in accounts::queries::list(conn)? {
        events::number::number(conn, &account.id)?;
    }
    Ok(())
}
