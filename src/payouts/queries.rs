//! Every statement about `payouts`, `payout_items` and `payout_moves`.

use diesel::prelude::*;

use super::model::{Payout, PayoutFilter, PayoutItem, PayoutMove, PayoutStatus};
use crate::db::DbConnection;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{payout_items, payout_moves, payouts};
use crate::ids::{AccountId, AmbassadorId, CollectionId, EarningId, PayoutId};
use crate::money::Currency;

/// The account's payout with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &PayoutId,
) -> QueryResult<Option<Payout>> {
    Payout::query().find((account, id)).first(conn).optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &PayoutId,
) -> QueryResult<Option<Payout>> {
    match conn {
        DbConnection::Postgres(c) => payouts::table
            .find((account, id))
            .select(Payout::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// A page of the account's payouts.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &PayoutFilter,
    page: &Page,
) -> QueryResult<Vec<Payout>> {
    let mut query = Payout::query()
        .filter(payouts::account_id.eq(account))
        .into_boxed();
    wanted!(query, payouts::program_id, filter.program_id);
    wanted!(query, payouts::ambassador_id, filter.ambassador_id);
    wanted!(query, payouts::collection_id, filter.collection_id);
    if let Some(status) = filter.status {
        query = query.filter(payouts::status.eq(status));
    }
    paged!(query, payouts::id, page).load(conn)
}

/// Whom a run has paid last, and in which currency.
pub fn find_last_paid(
    conn: &mut DbConnection,
    account: &AccountId,
    collection: &CollectionId,
) -> QueryResult<Option<(AmbassadorId, Currency)>> {
    payouts::table
        .filter(payouts::account_id.eq(account))
        .filter(payouts::collection_id.eq(collection))
        .select((payouts::ambassador_id, payouts::currency))
        .order(payouts::id.desc())
        .first(conn)
        .optional()
}

/// Stores a new payout and what it is made of.
pub fn insert(conn: &mut DbConnection, payout: &Payout, items: &[PayoutItem]) -> QueryResult<()> {
    diesel::insert_into(payouts::table)
        .values(payout)
        .execute(conn)?;
    for item in items {
        diesel::insert_into(payout_items::table)
            .values(item)
            .execute(conn)?;
    }
    Ok(())
}

/// Stores what changed of a payout that stood at `from`. `false`: somebody moved it first, and nothing is stored.
pub fn advance(conn: &mut DbConnection, payout: &Payout, from: PayoutStatus) -> QueryResult<bool> {
    let held = payouts::table
        .find((&payout.account_id, &payout.id))
        .filter(payouts::status.eq(from));
    diesel::update(held)
        .set((
            payouts::status.eq(payout.status),
            payouts::reference_id.eq(&payout.reference_id),
            payouts::failure_reason.eq(&payout.failure_reason),
            payouts::metadata.eq(&payout.metadata),
            payouts::paid_at.eq(payout.paid_at),
            payouts::updated_at.eq(payout.updated_at),
        ))
        .execute(conn)
        .map(|moved| moved == 1)
}

/// What a payout is made of.
pub fn list_items(
    conn: &mut DbConnection,
    account: &AccountId,
    payout: &PayoutId,
) -> QueryResult<Vec<PayoutItem>> {
    PayoutItem::query()
        .filter(payout_items::account_id.eq(account))
        .filter(payout_items::payout_id.eq(payout))
        .order(payout_items::earning_id)
        .load(conn)
}

/// The payouts that an earning was ever in, oldest first, and how much of it.
pub fn list_items_of_earning(
    conn: &mut DbConnection,
    account: &AccountId,
    earning: &EarningId,
) -> QueryResult<Vec<PayoutItem>> {
    PayoutItem::query()
        .filter(payout_items::account_id.eq(account))
        .filter(payout_items::earning_id.eq(earning))
        .order(payout_items::payout_id)
        .load(conn)
}

/// The payout that is on its way with this earning, or has arrived.
pub fn find_live_of(
    conn: &mut DbConnection,
    account: &AccountId,
    earning: &EarningId,
) -> QueryResult<Option<PayoutId>> {
    payout_items::table
        .filter(payout_items::account_id.eq(account))
        .filter(payout_items::earning_id.eq(earning))
        .filter(payout_items::live.eq(1))
        .select(payout_items::payout_id)
        .first(conn)
        .optional()
}

/// A payout's earnings can be in another payout.
pub fn free_items(conn: &mut DbConnection, payout: &Payout) -> QueryResult<()> {
    let items = payout_items::table
        .filter(payout_items::account_id.eq(&payout.account_id))
        .filter(payout_items::payout_id.eq(&payout.id));
    diesel::update(items)
        .set(payout_items::live.eq(0))
        .execute(conn)?;
    Ok(())
}

/// How often a payout has moved.
pub fn count_moves(conn: &mut DbConnection, payout: &Payout) -> QueryResult<i64> {
    payout_moves::table
        .filter(payout_moves::account_id.eq(&payout.account_id))
        .filter(payout_moves::payout_id.eq(&payout.id))
        .count()
        .get_result(conn)
}

/// A payout's moves, first to last.
pub fn list_moves(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &PayoutId,
) -> QueryResult<Vec<PayoutMove>> {
    PayoutMove::query()
        .filter(payout_moves::account_id.eq(account))
        .filter(payout_moves::payout_id.eq(id))
        .order(payout_moves::position)
        .load(conn)
}

/// Stores a move.
pub fn insert_move(conn: &mut DbConnection, step: &PayoutMove) -> QueryResult<()> {
    diesel::insert_into(payout_moves::table)
        .values(step)
        .execute(conn)?;
    Ok(())
}
