//! Every statement about `impressions` alone; lists are in `filed_queries`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::model::Impression;
use crate::db::schema::impressions;
use crate::db::statement::{by_account, column, statement};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ImpressionId};
use crate::text::{IdempotencyKey, Line, Paragraph};

/// The account's impression with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ImpressionId,
) -> QueryResult<Option<Impression>> {
    on_each_database!(conn, |c| Impression::query()
        .find((account, id))
        .first(c)
        .optional())
}

/// The impression that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Impression>> {
    Impression::query()
        .filter(impressions::account_id.eq(account))
        .filter(impressions::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// The impressions with these ids, of whatever accounts.
pub fn find_each(
    conn: &mut DbConnection,
    wanted: &[(&AccountId, &ImpressionId)],
) -> QueryResult<Vec<Impression>> {
    match conn {
        DbConnection::Sqlite(_) => {
            let found = wanted.iter().map(|(account, id)| find(conn, account, id));
            Ok(found
                .collect::<QueryResult<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect())
        }
        DbConnection::Postgres(c) => {
            let mut found = Vec::new();
            for (account, ids) in by_account(wanted.iter().copied()) {
                let rows: Vec<Impression> = impressions::table
                    .filter(impressions::account_id.eq(account))
                    .filter(impressions::id.eq_any(ids))
                    .select(Impression::as_select())
                    .load(c)?;
                found.extend(rows);
            }
            Ok(found)
        }
    }
}

const INSERT_MANY: &str = "INSERT INTO impressions (account_id, id, poster_id, program_id, ambassador_id, \
        scanned_at, user_agent, ip_address, metadata) \
    SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[], \
        ?::text[], ?::text[], ?::text[])";

/// Stores scans, which carry no idempotency keys.
pub fn insert(conn: &mut DbConnection, rows: &[Impression]) -> QueryResult<()> {
    match conn {
        DbConnection::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(impressions::table)
                    .values(row)
                    .execute(c)?;
            }
        }
        DbConnection::Postgres(c) => {
            statement(INSERT_MANY)
                .bind::<Array<Text>, _>(column!(rows, account_id))
                .bind::<Array<Text>, _>(column!(rows, id))
                .bind::<Array<Text>, _>(column!(rows, poster_id))
                .bind::<Array<Text>, _>(column!(rows, program_id))
                .bind::<Array<Text>, _>(column!(rows, ambassador_id))
                .bind::<Array<BigInt>, _>(column!(rows, scanned_at))
                .bind::<Array<Nullable<Text>>, _>(column!(rows, user_agent?))
                .bind::<Array<Nullable<Text>>, _>(column!(rows, ip_address?))
                .bind::<Array<Text>, _>(column!(rows, metadata))
                .execute(c)?;
        }
    }
    Ok(())
}

/// Stores a scan that may have been stored before. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, impression: &Impression) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(impressions::table)
        .values(impression)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// The last of the next `length` scans behind `after` and before `end`, oldest first.
pub fn last_of_stretch(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&ImpressionId>,
    end: Option<&ImpressionId>,
    length: i64,
) -> QueryResult<Option<ImpressionId>> {
    let mut query = impressions::table
        .filter(impressions::account_id.eq(account))
        .order(impressions::id.asc())
        .limit(length)
        .select(impressions::id)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(impressions::id.gt(after));
    }
    if let Some(end) = end {
        query = query.filter(impressions::id.lt(end));
    }
    let ids: Vec<ImpressionId> = query.load(conn)?;
    Ok(ids.into_iter().next_back())
}

/// Removes what is personal about the scans behind `after` up to `last`. How many had something to forget.
pub fn forget(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&ImpressionId>,
    last: &ImpressionId,
) -> QueryResult<usize> {
    let nothing = (
        impressions::user_agent.eq(None::<Paragraph>),
        impressions::ip_address.eq(None::<Line>),
    );
    let personal = impressions::user_agent
        .is_not_null()
        .or(impressions::ip_address.is_not_null());
    let stretch = impressions::table
        .filter(impressions::account_id.eq(account))
        .filter(impressions::id.le(last))
        .filter(personal);
    match after {
        None => diesel::update(stretch).set(nothing).execute(conn),
        Some(after) => diesel::update(stretch.filter(impressions::id.gt(after)))
            .set(nothing)
            .execute(conn),
    }
}
