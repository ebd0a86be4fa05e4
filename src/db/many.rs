//! Many rows of one kind, stored in few statements that stay prepared: on PostgreSQL one whose columns are arrays, on
//! SQLite some of up to 32 rows. What a statement costs besides its rows is paid once and not once per row.
//!
//! [`many!`] declares the columns; [`insert`] stores. Whoever gets an error from it rolls back: on SQLite the rows before the
//! one that failed are stored, because a statement that could take them back would keep a journal of its own.

use std::marker::PhantomData;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Untyped;
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::DbConnection;

/// A table, the columns that a row fills, and what is to happen if it cannot be stored as it is.
pub(crate) trait Many: 'static {
    /// A row.
    type Row;
    /// `INSERT INTO … (…)`
    const INTO: &'static str;
    /// What stands behind the rows: `ON CONFLICT …`
    const THEN: &'static str;

    /// The row as SQLite takes it: `(?, ?, …)`.
    fn values<'b>(row: &'b Self::Row, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;

    /// All of them, told to PostgreSQL. How many were stored.
    fn insert_arrays(conn: &mut PgConnection, rows: &[&Self::Row]) -> QueryResult<usize>;
}

/// Stores `rows` in their order. How many were stored.
pub(crate) fn insert<'a, M: Many>(
    conn: &mut DbConnection,
    rows: impl IntoIterator<Item = &'a M::Row>,
) -> QueryResult<usize> {
    let rows: Vec<&M::Row> = rows.into_iter().collect();
    match conn {
        _ if rows.is_empty() => Ok(0),
        DbConnection::Postgres(conn) => M::insert_arrays(conn, &rows),
        DbConnection::Sqlite(conn) => insert_pieces::<M>(conn, &rows),
    }
}

fn insert_pieces<M: Many>(conn: &mut SqliteConnection, rows: &[&M::Row]) -> QueryResult<usize> {
    let (mut rest, mut stored) = (rows, 0);
    while !rest.is_empty() {
        let size = [32, 8, 2, 1].into_iter().find(|size| *size <= rest.len());
        let (now, later) = rest.split_at(size.unwrap_or(1));
        stored += match now.len() {
            32 => Piece::<M, 32>::of(now).execute(conn),
            8 => Piece::<M, 8>::of(now).execute(conn),
            2 => Piece::<M, 2>::of(now).execute(conn),
            _ => Piece::<M, 1>::of(now).execute(conn),
        }?;
        rest = later;
    }
    Ok(stored)
}

/// So many rows: for each size there is one text, which the connection knows by the type.
struct Piece<'a, M: Many, const ROWS: usize> {
    rows: &'a [&'a M::Row],
    kind: PhantomData<M>,
}

impl<'a, M: Many, const ROWS: usize> Piece<'a, M, ROWS> {
    fn of(rows: &'a [&'a M::Row]) -> Self {
        let kind = PhantomData;
        Self { rows, kind }
    }
}

impl<M: Many, const ROWS: usize> QueryFragment<Sqlite> for Piece<'_, M, ROWS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(M::INTO);
        let mut before = " VALUES ";
        for row in self.rows {
            out.push_sql(before);
            before = ", ";
            M::values(row, out.reborrow())?;
        }
        out.push_sql(M::THEN);
        Ok(())
    }
}

impl<M: Many, const ROWS: usize> QueryId for Piece<'_, M, ROWS> {
    type QueryId = Piece<'static, M, ROWS>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<M: Many, const ROWS: usize> Query for Piece<'_, M, ROWS> {
    type SqlType = Untyped;
}

impl<M: Many, const ROWS: usize, C> RunQueryDsl<C> for Piece<'_, M, ROWS> {}

/// Declares which columns of a table the rows of a kind fill, `account_id` and these, each with what is in it
/// (`text`, `number`, `text_or_null`, `number_or_null`). What stands behind `then` both databases understand.
macro_rules! many {
    (
        $(#[$meta:meta])*
        $name:ident: $row:ty => $table:literal { $($column:ident: $kind:ident),+ $(,)? }
        then $then:literal
    ) => {
        $(#[$meta])*
        struct $name;

        impl $crate::db::many::Many for $name {
            type Row = $row;
            const INTO: &'static str =
                concat!("INSERT OR FAIL INTO ", $table, " (account_id", $(", ", stringify!($column)),+, ")");
            const THEN: &'static str = concat!(" ", $then);

            fn values<'b>(
                row: &'b $row,
                mut out: ::diesel::query_builder::AstPass<'_, 'b, ::diesel::sqlite::Sqlite>,
            ) -> ::diesel::QueryResult<()> {
                out.push_sql("(");
                out.push_bind_param::<::diesel::sql_types::Integer, _>(&row.account_id)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$crate::db::many::sql_type!($kind), _>(&row.$column)?;
                )+
                out.push_sql(")");
                Ok(())
            }

            fn insert_arrays(
                conn: &mut ::diesel::pg::PgConnection,
                rows: &[&$row],
            ) -> ::diesel::QueryResult<usize> {
                use ::diesel::RunQueryDsl as _;
                use ::diesel::sql_types::{Array, Integer};
                const SQL: &str = concat!(
                    "INSERT INTO ", $table, " (account_id", $(", ", stringify!($column)),+, ") SELECT * FROM unnest(",
                    "?::integer[]", $(", ", $crate::db::many::array!($kind)),+, ") ", $then
                );
                let accounts: Vec<_> = rows.iter().map(|row| &row.account_id).collect();
                $crate::db::statement::statement(SQL)
                    .bind::<Array<Integer>, _>(accounts)
                    $(.bind::<Array<$crate::db::many::sql_type!($kind)>, _>(
                        rows.iter().map(|row| &row.$column).collect::<Vec<_>>()
                    ))+
                    .execute(conn)
            }
        }
    };
}

macro_rules! sql_type {
    (text) => { ::diesel::sql_types::Text };
    (number) => { ::diesel::sql_types::BigInt };
    (text_or_null) => { ::diesel::sql_types::Nullable<::diesel::sql_types::Text> };
    (number_or_null) => { ::diesel::sql_types::Nullable<::diesel::sql_types::BigInt> };
}

macro_rules! array {
    (text) => {
        "?::text[]"
    };
    (text_or_null) => {
        "?::text[]"
    };
    (number) => {
        "?::bigint[]"
    };
    (number_or_null) => {
        "?::bigint[]"
    };
}

pub(crate) use {array, many, sql_type};
