//! Every statement about `refunds`.

use diesel::prelude::*;

use super::model::{Refund, RefundFilter, RefundStatus};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::refunds;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, RefundId};
use crate::text::{IdempotencyKey, OrderId};

/// The account's refund with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &RefundId,
) -> QueryResult<Option<Refund>> {
    Refund::query().find((account, id)).first(conn).optional()
}

/// The refund that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Refund>> {
    Refund::query()
        .filter(refunds::account_id.eq(account))
        .filter(refunds::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// A page of the account's refunds.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &RefundFilter,
    page: &Page,
) -> QueryResult<Vec<Refund>> {
    let mut query = Refund::query()
        .filter(refunds::account_id.eq(account))
        .into_boxed();
    wanted!(query, refunds::conversion_id, filter.conversion_id);
    if let Some(order) = &filter.order_id {
        query = query.filter(refunds::order_id.eq(order.clone()));
    }
    if let Some(status) = filter.status {
        query = query.filter(refunds::status.eq(status));
    }
    paged!(query, refunds::id, page).load(conn)
}

/// The refunds that wait for an order, oldest first. Whoever asks holds the order.
pub fn list_waiting(
    conn: &mut DbConnection,
    account: &AccountId,
    order: &OrderId,
) -> QueryResult<Vec<Refund>> {
    Refund::query()
        .filter(refunds::account_id.eq(account))
        .filter(refunds::order_id.eq(order))
        .filter(refunds::status.eq(RefundStatus::Waiting))
        .order(refunds::id)
        .load(conn)
}

/// Stores a new refund. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, refund: &Refund) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(refunds::table)
        .values(refund)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what became of a refund.
pub fn update(conn: &mut DbConnection, refund: &Refund) -> QueryResult<()> {
    diesel::update(refunds::table.find((&refund.account_id, &refund.id)))
        .set((
            refunds::status.eq(refund.status),
            refunds::conversion_id.eq(&refund.conversion_id),
            refunds::amount.eq(refund.amount),
            refunds::currency.eq(&refund.currency),
            refunds::reversed.eq(refund.reversed),
            refunds::applied_at.eq(refund.applied_at),
        ))
        .execute(conn)?;
    Ok(())
}
