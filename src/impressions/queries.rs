//! Every statement about `impressions`.

use diesel::prelude::*;

use super::model::{Impression, ImpressionFilter};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::impressions;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ImpressionId};
use crate::text::{IdempotencyKey, Line, Paragraph};

/// The account's impression with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ImpressionId,
) -> QueryResult<Option<Impression>> {
    Impression::query()
        .find((account, id))
        .first(conn)
        .optional()
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

/// A page of the account's impressions.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ImpressionFilter,
    page: &Page,
) -> QueryResult<Vec<Impression>> {
    let mut query = Impression::query()
        .filter(impressions::account_id.eq(account))
        .into_boxed();
    wanted!(query, impressions::program_id, filter.program_id);
    wanted!(query, impressions::poster_id, filter.poster_id);
    wanted!(query, impressions::ambassador_id, filter.ambassador_id);
    paged!(query, impressions::id, page).load(conn)
}

/// Stores a scan.
pub fn insert(conn: &mut DbConnection, impression: &Impression) -> QueryResult<()> {
    diesel::insert_into(impressions::table)
        .values(impression)
        .execute(conn)?;
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

/// Up to `limit` scans before `cutoff` that still say something personal, oldest first. In all accounts:
/// how long scans stay personal is the operator's promise.
pub fn list_personal(
    conn: &mut DbConnection,
    cutoff: Timestamp,
    limit: i64,
) -> QueryResult<Vec<(AccountId, ImpressionId)>> {
    impressions::table
        .filter(impressions::scanned_at.lt(cutoff))
        .filter(
            impressions::user_agent
                .is_not_null()
                .or(impressions::ip_address.is_not_null()),
        )
        .order((impressions::account_id, impressions::id))
        .limit(limit)
        .select((impressions::account_id, impressions::id))
        .load(conn)
}

/// Removes what is personal about one scan.
pub fn forget(conn: &mut DbConnection, account: &AccountId, id: &ImpressionId) -> QueryResult<()> {
    diesel::update(impressions::table.find((account, id)))
        .set((
            impressions::user_agent.eq(None::<Paragraph>),
            impressions::ip_address.eq(None::<Line>),
        ))
        .execute(conn)?;
    Ok(())
}
