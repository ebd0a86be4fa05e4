//! Verb: an account is written down, a line of JSON for every row.

use std::io::Write;

use serde::Serialize;
use serde_json::{Map, json};

use super::lines::{Header, Row, Trailer};
use super::sums::Sum;
use super::{everything, sealed};
use crate::accounts::model::Account;
use crate::clock::Timestamp;
use crate::db::rows::Shape;
use crate::db::tables::TABLES;
use crate::db::{DbConnection, migrations};
use crate::error::Error;

/// Writes all of the account, as it is at one moment, to `out`. Needs no more memory than a few hundred rows. How many rows
/// there were.
pub fn export(
    conn: &mut DbConnection,
    account: &Account,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<i64, Error> {
    let (id, name) = (account.id, account.name.as_str());
    let keys = sealed::keys_of(conn, id)?;
    line(out, &Header::new(schema()?, (id, name), keys, now))?;
    let mut end = Map::new();
    let mut rows = 0;
    for table in TABLES {
        let shape = Shape::of(conn, table)?;
        let mut sum = Sum::default();
        everything::each_page(conn, &shape, Some(id), None, |page| {
            for row in page {
                sum.add(row);
                let table = table.name.to_owned();
                let row = row.clone();
                line(out, &Row { table, row })?;
            }
            Ok(())
        })?;
        rows += sum.rows;
        end.insert(
            table.name.to_owned(),
            json!({ "rows": sum.rows, "sum": sum.hex() }),
        );
    }
    line(out, &Trailer { end })?;
    out.flush().map_err(Error::internal)?;
    Ok(rows)
}

/// Numbers the account's events, which an export has to have in their order.
pub fn prepare(conn: &mut DbConnection) -> Result<(), Error> {
    everything::number_events(conn)
}

/// The last migration this program knows.
pub(super) fn schema() -> Result<String, Error> {
    let names = migrations::embedded().map_err(Error::internal)?;
    Ok(names.last().cloned().unwrap_or_default())
}

fn line(out: &mut impl Write, value: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, value).map_err(Error::internal)?;
    out.write_all(b"\n").map_err(Error::internal)
}
