//! Every statement about `collections`, and what adds up to them.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::model::{Collection, CollectionFilter, CollectionStatus, Total};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{collections, payouts};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, CollectionId};
use crate::money::Currency;
use crate::text::IdempotencyKey;

/// The account's collection with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &CollectionId,
) -> QueryResult<Option<Collection>> {
    Collection::query()
        .find((account, id))
        .first(conn)
        .optional()
}

/// The same, held until the transaction ends: nobody else goes on with it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &CollectionId,
) -> QueryResult<Option<Collection>> {
    match conn {
        DbConnection::Postgres(c) => collections::table
            .find((account, id))
            .select(Collection::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The collection that an earlier request with this key began.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Collection>> {
    Collection::query()
        .filter(collections::account_id.eq(account))
        .filter(collections::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// The account's collections that nobody has gone on with since `before`.
pub fn list_left_behind(
    conn: &mut DbConnection,
    account: &AccountId,
    before: Timestamp,
) -> QueryResult<Vec<Collection>> {
    Collection::query()
        .filter(collections::account_id.eq(account))
        .filter(collections::status.eq(CollectionStatus::Collecting))
        .filter(collections::updated_at.lt(before))
        .order(collections::id)
        .load(conn)
}

/// Stores a new collection. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, collection: &Collection) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(collections::table)
        .values(collection)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores how far a collection has come.
pub fn update(conn: &mut DbConnection, collection: &Collection) -> QueryResult<()> {
    diesel::update(collections::table.find((&collection.account_id, &collection.id)))
        .set((
            collections::status.eq(collection.status),
            collections::reached.eq(&collection.reached),
            collections::updated_at.eq(collection.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A page of the account's collections.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &CollectionFilter,
    page: &Page,
) -> QueryResult<Vec<Collection>> {
    let mut query = Collection::query()
        .filter(collections::account_id.eq(account))
        .into_boxed();
    wanted!(query, collections::program_id, filter.program_id);
    paged!(query, collections::id, page).load(conn)
}

/// What collections have paid so far, by collection and currency.
pub fn totals(
    conn: &mut DbConnection,
    account: &AccountId,
    of: Vec<CollectionId>,
) -> QueryResult<Vec<(CollectionId, Total)>> {
    let rows: Vec<(CollectionId, Currency, i64, i64)> = payouts::table
        .filter(payouts::account_id.eq(account))
        .filter(payouts::collection_id.eq_any(of))
        .group_by((payouts::collection_id, payouts::currency))
        .order((payouts::collection_id, payouts::currency))
        .select((
            payouts::collection_id,
            payouts::currency,
            count_star(),
            // PostgreSQL's sum of whole numbers is a numeric.
            sql::<BigInt>("CAST(SUM(amount) AS BIGINT)"),
        ))
        .load(conn)?;
    let total = |(id, currency, payouts, amount)| {
        let total = Total {
            currency,
            payouts,
            amount,
        };
        (id, total)
    };
    Ok(rows.into_iter().map(total).collect())
}
