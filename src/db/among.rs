//! SQLite's word for "one of these ids", however many they are: one text, which stays prepared. (`eq_any` writes a text of
//! its own for every length.)

use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;

/// Whether a column is among some ids.
#[derive(Debug, QueryId)]
pub(crate) struct Among<C> {
    column: C,
    /// The ids as a JSON array, which is one value.
    ids: String,
}

/// Whether `column` is among `ids`.
pub(crate) fn among<C>(column: C, ids: &[impl Serialize]) -> QueryResult<Among<C>> {
    let ids =
        serde_json::to_string(ids).map_err(|error| Error::SerializationError(error.into()))?;
    Ok(Among { column, ids })
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Among<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.ids)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<C: Expression> Expression for Among<C> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<Source>, Source> AppearsOnTable<Source> for Among<C> {}

impl<C, Group> ValidGrouping<Group> for Among<C> {
    type IsAggregate = is_aggregate::No;
}
