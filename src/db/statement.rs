//! A statement in SQL that both databases understand, prepared once per connection. For the few that diesel
//! prepares anew at every call: upserts, and PostgreSQL's many rows from arrays.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement, bound up to the first `?` in `rest`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    rest: &'static str,
}

/// A statement with one more value bound.
#[derive(Debug)]
pub(crate) struct Bound<Q, ST, V> {
    before: Q,
    /// What stands between the value before and this one.
    text: &'static str,
    value: V,
    rest: &'static str,
    sql_type: PhantomData<ST>,
}

/// Begins a statement with a `?` for each value to come.
pub(crate) const fn statement(sql: &'static str) -> Statement {
    Statement { rest: sql }
}

/// The bound part, without the rest.
pub(crate) trait Piece<DB: Backend> {
    fn walk<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

impl<DB: Backend> Piece<DB> for Statement {
    fn walk<'b>(&'b self, _: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        Ok(())
    }
}

impl<DB, Q, ST, V> Piece<DB> for Bound<Q, ST, V>
where
    DB: Backend + HasSqlType<ST>,
    Q: Piece<DB>,
    V: ToSql<ST, DB>,
{
    fn walk<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.before.walk(out.reborrow())?;
        out.push_sql(self.text);
        out.push_bind_param::<ST, V>(&self.value)
    }
}

macro_rules! statements {
    ($type:ty, [$($generic:ident),*]) => {
        impl<$($generic),*> $type {
            /// The value of the next `?`.
            pub(crate) fn bind<Next, Value>(self, value: Value) -> Bound<Self, Next, Value> {
                let (text, rest) = self.rest.split_once('?').unwrap_or((self.rest, ""));
                Bound { before: self, text, value, rest, sql_type: PhantomData }
            }
        }

        // No static id: the cache of prepared statements goes by the text.
        impl<$($generic),*> QueryId for $type {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<$($generic),*> Query for $type {
            type SqlType = Untyped;
        }

        impl<$($generic,)* C> RunQueryDsl<C> for $type {}

        impl<$($generic,)* DB: Backend> QueryFragment<DB> for $type
        where
            $type: Piece<DB>,
        {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                self.walk(out.reborrow())?;
                out.push_sql(self.rest);
                Ok(())
            }
        }
    };
}

statements!(Statement, []);
statements!(Bound<Q, ST, V>, [Q, ST, V]);

/// What is wanted, each account's together: a look-up of many rows is one statement per account.
pub(crate) fn by_account<A: Ord, T>(wanted: impl Iterator<Item = (A, T)>) -> BTreeMap<A, Vec<T>> {
    let mut grouped = BTreeMap::<A, Vec<T>>::new();
    for (account, one) in wanted {
        grouped.entry(account).or_default().push(one);
    }
    grouped
}
