//! Every statement about `impressions`.

use diesel::prelude::*;

use super::model::{Impression, ImpressionFilter};
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

/// The last of the next `length` scans behind `after` and before `end`, oldest first.
pub fn last_of_stretch(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&ImpressionId>,
    end: &ImpressionId,
    length: i64,
) -> QueryResult<Option<ImpressionId>> {
    let mut query = impressions::table
        .filter(impressions::account_id.eq(account))
        .filter(impressions::id.lt(end))
        .order(impressions::id.asc())
        .limit(length)
        .select(impressions::id)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(impressions::id.gt(after));
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
