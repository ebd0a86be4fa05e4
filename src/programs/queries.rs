//! Every statement about `programs`.

use std::collections::HashSet;
use std::sync::LazyLock;

use diesel::prelude::*;
use quick_cache::sync::Cache;

use super::model::{Audience, PayoutSchedule, Program, ProgramStatus};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::programs;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ProgramId, Wanted};
use crate::text::IdempotencyKey;

/// The account's program with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ProgramId,
) -> QueryResult<Option<Program>> {
    Program::query().find((account, id)).first(conn).optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ProgramId,
) -> QueryResult<Option<Program>> {
    match conn {
        DbConnection::Postgres(c) => programs::table
            .find((account, id))
            .select(Program::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        // SQLite has one writer: whoever is here is alone.
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The program that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Program>> {
    Program::query()
        .filter(programs::account_id.eq(account))
        .filter(programs::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

type Key = (AccountId, ProgramId);

/// Whom a program is for never changes, so a process that has asked once knows it: the signups of programs that are not
/// for customers, which are nearly all, cost no statement more.
static AUDIENCES: LazyLock<Cache<Key, Audience>> = LazyLock::new(|| Cache::new(10_000));

/// Those of some programs that are for customers.
pub fn for_customers<'a>(
    conn: &mut DbConnection,
    programs: impl IntoIterator<Item = (&'a AccountId, &'a ProgramId)>,
) -> QueryResult<HashSet<Key>> {
    let mut found = HashSet::new();
    let mut last = None;
    for (account, id) in programs {
        // A crowd comes to one program.
        if last.replace((account, id)) == Some((account, id)) {
            continue;
        }
        let key = (*account, id.clone());
        let known = AUDIENCES.get(&key);
        let audience = match known {
            Some(known) => Some(known),
            None => find(conn, account, id)?.map(|program| program.audience),
        };
        if let Some(audience) = audience.filter(|_| known.is_none()) {
            AUDIENCES.insert(key.clone(), audience);
        }
        if audience == Some(Audience::Customers) {
            found.insert(key);
        }
    }
    Ok(found)
}

/// The account's program for its customers.
pub fn find_for_customers(
    conn: &mut DbConnection,
    account: &AccountId,
) -> QueryResult<Option<Program>> {
    Program::query()
        .filter(programs::account_id.eq(account))
        .filter(programs::audience.eq(Audience::Customers))
        .first(conn)
        .optional()
}

/// A page of the account's programs.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    only: Option<&Wanted<ProgramId>>,
    status: Option<ProgramStatus>,
    page: &Page,
) -> QueryResult<Vec<Program>> {
    let mut query = Program::query()
        .filter(programs::account_id.eq(account))
        .into_boxed();
    wanted!(query, programs::id, only);
    if let Some(status) = status {
        query = query.filter(programs::status.eq(status));
    }
    paged!(query, programs::id, page).load(conn)
}

/// The account's programs that are collected by a schedule.
pub fn list_scheduled(conn: &mut DbConnection, account: &AccountId) -> QueryResult<Vec<Program>> {
    Program::query()
        .filter(programs::account_id.eq(account))
        .filter(programs::payout_schedule.ne(PayoutSchedule::Manual))
        .order(programs::id)
        .load(conn)
}

/// Stores a new program. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, program: &Program) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(programs::table)
        .values(program)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what changed of a program.
pub fn update(conn: &mut DbConnection, program: &Program) -> QueryResult<()> {
    diesel::update(programs::table.find((&program.account_id, &program.id)))
        .set((
            programs::name.eq(&program.name),
            programs::description.eq(&program.description),
            programs::landing_url.eq(&program.landing_url),
            programs::commission_basis_points.eq(program.commission_basis_points),
            programs::payout_schedule.eq(program.payout_schedule),
            programs::minimum_payout.eq(program.minimum_payout),
            programs::payout_currency.eq(&program.payout_currency),
            programs::scheduled_since.eq(program.scheduled_since),
            programs::available_when.eq(program.available_when),
            programs::hold_days.eq(program.hold_days),
            programs::converted_by.eq(program.converted_by),
            programs::coupons.eq(program.coupon_terms.coupons),
            programs::coupon_prefix.eq(&program.coupon_terms.coupon_prefix),
            programs::coupon_days.eq(program.coupon_terms.coupon_days),
            programs::status.eq(program.status),
            programs::updated_at.eq(program.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}
