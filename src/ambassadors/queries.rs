//! Every statement about `ambassadors`.

use diesel::prelude::*;

use super::model::{Ambassador, AmbassadorFilter};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::ambassadors;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, AmbassadorId};
use crate::text::IdempotencyKey;

/// The account's ambassador with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &AmbassadorId,
) -> QueryResult<Option<Ambassador>> {
    Ambassador::query()
        .find((account, id))
        .first(conn)
        .optional()
}

/// The account's ambassadors with these ids.
pub fn find_all(
    conn: &mut DbConnection,
    account: &AccountId,
    ids: Vec<AmbassadorId>,
) -> QueryResult<Vec<Ambassador>> {
    Ambassador::query()
        .filter(ambassadors::account_id.eq(account))
        .filter(ambassadors::id.eq_any(ids))
        .load(conn)
}

/// The account's ambassador, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &AmbassadorId,
) -> QueryResult<Option<Ambassador>> {
    match conn {
        DbConnection::Postgres(c) => ambassadors::table
            .find((account, id))
            .select(Ambassador::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The ambassador that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Ambassador>> {
    Ambassador::query()
        .filter(ambassadors::account_id.eq(account))
        .filter(ambassadors::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// A page of the account's ambassadors.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &AmbassadorFilter,
    page: &Page,
) -> QueryResult<Vec<Ambassador>> {
    let mut query = Ambassador::query()
        .filter(ambassadors::account_id.eq(account))
        .into_boxed();
    wanted!(query, ambassadors::program_id, filter.program_id);
    wanted!(query, ambassadors::id, filter.id);
    paged!(query, ambassadors::id, page).load(conn)
}

/// Stores a new ambassador. `false`: the idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, ambassador: &Ambassador) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(ambassadors::table)
        .values(ambassador)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what changed of an ambassador.
pub fn update(conn: &mut DbConnection, ambassador: &Ambassador) -> QueryResult<()> {
    diesel::update(ambassadors::table.find((&ambassador.account_id, &ambassador.id)))
        .set((
            ambassadors::first_name.eq(&ambassador.first_name),
            ambassadors::last_name.eq(&ambassador.last_name),
            ambassadors::email.eq(&ambassador.email),
            ambassadors::profile_picture.eq(&ambassador.profile_picture),
            ambassadors::metadata.eq(&ambassador.metadata),
            ambassadors::updated_at.eq(ambassador.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}
