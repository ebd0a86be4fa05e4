//! Every statement about `conversions`.

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::model::{Conversion, ConversionFilter};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{conversions, earnings};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, AmbassadorId, ConversionId, ProgramId, ReferralId};
use crate::ledger::model::Owner;
use crate::money::Currency;
use crate::text::{IdempotencyKey, OrderId};

/// The account's conversion with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ConversionId,
) -> QueryResult<Option<Conversion>> {
    Conversion::query()
        .find((account, id))
        .first(conn)
        .optional()
}

/// The conversion that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Conversion>> {
    Conversion::query()
        .filter(conversions::account_id.eq(account))
        .filter(conversions::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// The conversion of this order. Whoever means to change it holds the order: see `db::name`.
pub fn find_by_order(
    conn: &mut DbConnection,
    account: &AccountId,
    order: &OrderId,
) -> QueryResult<Option<Conversion>> {
    Conversion::query()
        .filter(conversions::account_id.eq(account))
        .filter(conversions::order_id.eq(order))
        .first(conn)
        .optional()
}

/// A page of the account's conversions.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ConversionFilter,
    page: &Page,
) -> QueryResult<Vec<Conversion>> {
    let mut query = Conversion::query()
        .filter(conversions::account_id.eq(account))
        .into_boxed();
    wanted!(query, conversions::referral_id, filter.referral_id);
    wanted!(query, conversions::program_id, filter.program_id);
    wanted!(query, conversions::ambassador_id, filter.ambassador_id);
    if let Some(order) = &filter.order_id {
        query = query.filter(conversions::order_id.eq(order.clone()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(conversions::kind.eq(kind));
    }
    paged!(query, conversions::id, page).load(conn)
}

/// Every conversion of a referral, oldest first.
pub fn list_of_referral(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
) -> QueryResult<Vec<Conversion>> {
    Conversion::query()
        .filter(conversions::account_id.eq(account))
        .filter(conversions::referral_id.eq(referral))
        .order(conversions::id)
        .load(conn)
}

/// A program's conversions that occurred from `from` until before `until`, in the order in which they occurred: the
/// next `limit` behind `after`.
pub fn list_of_period(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
    (from, until): (Timestamp, Timestamp),
    limit: i64,
) -> QueryResult<Vec<Conversion>> {
    Conversion::query()
        .filter(conversions::account_id.eq(account))
        .filter(conversions::program_id.eq(program))
        .filter(conversions::occurred_at.ge(from))
        .filter(conversions::occurred_at.lt(until))
        .order((conversions::occurred_at, conversions::id))
        .limit(limit)
        .load(conn)
}

/// Stores a new conversion. `false`: its order or its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, conversion: &Conversion) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(conversions::table)
        .values(conversion)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores how much of a conversion was given back.
pub fn update_refunded(conn: &mut DbConnection, conversion: &Conversion) -> QueryResult<()> {
    diesel::update(conversions::table.find((&conversion.account_id, &conversion.id)))
        .set((
            conversions::refunded.eq(conversion.refunded),
            conversions::updated_at.eq(conversion.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Holds a referral's conversions until the transaction ends: no refund changes them meanwhile.
pub fn hold_those_of_referral(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
) -> QueryResult<()> {
    if let DbConnection::Postgres(c) = conn {
        let held: Vec<ConversionId> = conversions::table
            .filter(conversions::account_id.eq(account))
            .filter(conversions::referral_id.eq(referral))
            .order(conversions::id)
            .select(conversions::id)
            .for_no_key_update()
            .load(c)?;
        drop(held);
    }
    Ok(())
}

/// Stores that less of a conversion's commission is due.
pub fn update_capped(conn: &mut DbConnection, conversion: &Conversion) -> QueryResult<()> {
    diesel::update(conversions::table.find((&conversion.account_id, &conversion.id)))
        .set((
            conversions::capped.eq(conversion.capped),
            conversions::steps.eq(&conversion.steps),
            conversions::updated_at.eq(conversion.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The first conversion of a referral that was recorded.
pub fn find_first_of_referral(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
) -> QueryResult<Option<ConversionId>> {
    conversions::table
        .filter(conversions::account_id.eq(account))
        .filter(conversions::referral_id.eq(referral))
        .select(conversions::id)
        .order(conversions::id)
        .first(conn)
        .optional()
}

/// The first of them that brings a commission.
pub fn find_first_paying(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
) -> QueryResult<Option<ConversionId>> {
    conversions::table
        .filter(conversions::account_id.eq(account))
        .filter(conversions::referral_id.eq(referral))
        .filter(conversions::commission.gt(conversions::capped))
        .select(conversions::id)
        .order(conversions::id)
        .first(conn)
        .optional()
}

/// When the person of a referral first bought something, before `before`.
pub fn first_of_referral(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
    before: Timestamp,
) -> QueryResult<Option<Timestamp>> {
    conversions::table
        .filter(conversions::account_id.eq(account))
        .filter(conversions::referral_id.eq(referral))
        .filter(conversions::occurred_at.lt(before))
        .select(conversions::occurred_at)
        .order(conversions::occurred_at)
        .first(conn)
        .optional()
}

/// How many of an ambassador's conversions occurred from `from` until before `until`, and what they add up to in
/// `currency` after refunds.
pub fn volume(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    currency: &Currency,
    (from, until): (Timestamp, Timestamp),
) -> QueryResult<(i64, i64)> {
    let of_period = |conn: &mut DbConnection| {
        conversions::table
            .filter(conversions::account_id.eq(account))
            .filter(conversions::ambassador_id.eq(ambassador))
            .filter(conversions::occurred_at.ge(from))
            .filter(conversions::occurred_at.lt(until))
            .select(count_star())
            .get_result(conn)
    };
    let count = of_period(conn)?;
    let volume = conversions::table
        .filter(conversions::account_id.eq(account))
        .filter(conversions::ambassador_id.eq(ambassador))
        .filter(conversions::occurred_at.ge(from))
        .filter(conversions::occurred_at.lt(until))
        .filter(conversions::currency.eq(currency))
        .select(sql::<BigInt>(
            "CAST(COALESCE(SUM(amount - refunded), 0) AS BIGINT)",
        ))
        .get_result(conn)?;
    Ok((count, volume))
}

/// What commissions stand that were earned by a referral in `currency`, on what it bought before `before`.
pub fn earned_by_referral(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
    currency: &Currency,
    before: Timestamp,
) -> QueryResult<i64> {
    let of_referral = conversions::table
        .filter(conversions::account_id.eq(account))
        .filter(conversions::referral_id.eq(referral))
        .filter(conversions::occurred_at.lt(before))
        .select(conversions::id.nullable());
    earnings::table
        .filter(earnings::account_id.eq(account))
        .filter(earnings::currency.eq(currency))
        .filter(earnings::conversion_id.eq_any(of_referral))
        .select(sql::<BigInt>(STANDING))
        .get_result(conn)
}

/// What commissions stand that an ambassador earned in `currency` by conversions that occurred from `from` until
/// before `until`.
pub fn earned_by_ambassador(
    conn: &mut DbConnection,
    owner: &Owner,
    currency: &Currency,
    (from, until): (Timestamp, Timestamp),
) -> QueryResult<i64> {
    let of_period = conversions::table
        .filter(conversions::account_id.eq(&owner.account_id))
        .filter(conversions::ambassador_id.eq(&owner.ambassador_id))
        .filter(conversions::occurred_at.ge(from))
        .filter(conversions::occurred_at.lt(until))
        .select(conversions::id.nullable());
    earnings::table
        .filter(earnings::account_id.eq(&owner.account_id))
        .filter(earnings::currency.eq(currency))
        .filter(earnings::conversion_id.eq_any(of_period))
        .select(sql::<BigInt>(STANDING))
        .get_result(conn)
}

const STANDING: &str =
    "CAST(COALESCE(SUM(earnings.amount - earnings.reversed - earnings.clawed_back), 0) AS BIGINT)";
