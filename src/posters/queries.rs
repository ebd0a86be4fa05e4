//! Every statement about `posters`.

use diesel::prelude::*;

use super::model::{Poster, PosterCode, PosterFilter};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{posters, programs};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, PosterId};
use crate::text::{IdempotencyKey, WebUrl};

/// The account's poster with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &PosterId,
) -> QueryResult<Option<Poster>> {
    Poster::query().find((account, id)).first(conn).optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &PosterId,
) -> QueryResult<Option<Poster>> {
    match conn {
        DbConnection::Postgres(c) => posters::table
            .find((account, id))
            .select(Poster::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The poster with this code and its program's destination, in whatever account: a phone knows no account.
pub fn find_by_code(
    conn: &mut DbConnection,
    code: &PosterCode,
) -> QueryResult<Option<(Poster, WebUrl)>> {
    posters::table
        .inner_join(
            programs::table.on(programs::account_id
                .eq(posters::account_id)
                .and(programs::id.eq(posters::program_id))),
        )
        .filter(posters::code.eq(code))
        .select((Poster::as_select(), programs::landing_url))
        .first(conn)
        .optional()
}

/// The poster that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Poster>> {
    Poster::query()
        .filter(posters::account_id.eq(account))
        .filter(posters::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// A page of the account's posters.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &PosterFilter,
    page: &Page,
) -> QueryResult<Vec<Poster>> {
    let mut query = Poster::query()
        .filter(posters::account_id.eq(account))
        .into_boxed();
    wanted!(query, posters::program_id, filter.program_id);
    wanted!(query, posters::ambassador_id, filter.ambassador_id);
    if let Some(status) = filter.status {
        query = query.filter(posters::status.eq(status));
    }
    paged!(query, posters::id, page).load(conn)
}

/// Stores a new poster. `false`: its code or its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, poster: &Poster) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(posters::table)
        .values(poster)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what changed of a poster.
pub fn update(conn: &mut DbConnection, poster: &Poster) -> QueryResult<()> {
    diesel::update(posters::table.find((&poster.account_id, &poster.id)))
        .set((
            posters::location.eq(&poster.location),
            posters::landing_url.eq(&poster.landing_url),
            posters::status.eq(poster.status),
            posters::metadata.eq(&poster.metadata),
            posters::updated_at.eq(poster.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}
