//! Every statement about `impressions` alone; lists are in `filed_queries`.

use diesel::prelude::*;

use super::model::Impression;
use crate::db::among::among;
use crate::db::many::{self, many};
use crate::db::schema::impressions;
use crate::db::statement::by_account;
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
        .filter(impressions::account_id.eq(account))
        .filter(impressions::id.eq(id))
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
    let mut found = Vec::with_capacity(wanted.len());
    for (account, ids) in by_account(wanted.iter().copied()) {
        found.extend(match conn {
            DbConnection::Sqlite(c) => Impression::query()
                .filter(impressions::account_id.eq(account))
                .filter(among(impressions::id, &ids)?)
                .load(c)?,
            DbConnection::Postgres(c) => Impression::query()
                .filter(impressions::account_id.eq(account))
                .filter(impressions::id.eq_any(ids))
                .load(c)?,
        });
    }
    Ok(found)
}

many! {
    /// Scans carry no idempotency keys.
    Scans: Impression => "impressions" {
        id: text, poster_id: text, scanned_at: number, user_agent: text_or_null, ip_address: text_or_null, metadata: text,
    } then ""
}

many! {
    /// The same of scans that may be there already.
    Kept: Impression => "impressions" {
        id: text, poster_id: text, scanned_at: number, user_agent: text_or_null, ip_address: text_or_null, metadata: text,
    } then "ON CONFLICT DO NOTHING"
}

/// Stores those of these scans that are not there. How many that were.
pub fn insert_new(conn: &mut DbConnection, rows: &[&Impression]) -> QueryResult<usize> {
    many::insert::<Kept>(conn, rows.iter().copied())
}

/// Stores scans, which carry no idempotency keys.
pub fn insert(conn: &mut DbConnection, rows: &[Impression]) -> QueryResult<()> {
    many::insert::<Scans>(conn, rows).map(drop)
}

/// Stores a scan that may have been stored before. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, impression: &Impression) -> QueryResult<bool> {
    let row = (
        impressions::account_id.eq(&impression.account_id),
        impressions::id.eq(&impression.id),
        impressions::poster_id.eq(&impression.poster_id),
        impressions::scanned_at.eq(impression.scanned_at),
        impressions::user_agent.eq(&impression.user_agent),
        impressions::ip_address.eq(&impression.ip_address),
        impressions::metadata.eq(&impression.metadata),
        impressions::idempotency_key.eq(&impression.idempotency_key),
        impressions::idempotency_fingerprint.eq(&impression.idempotency_fingerprint),
    );
    on_each_database!(conn, |c| diesel::insert_into(impressions::table)
        .values(row)
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
