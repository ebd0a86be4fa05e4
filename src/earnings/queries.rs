//! Every statement about `earnings` and `earning_moves`.

use diesel::prelude::*;

use super::model::{Earning, EarningFilter, EarningMove, EarningStatus};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{earning_moves, earnings};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ConversionId, EarningId, ReferralId};
use crate::ledger::model::{Balance, Owner};
use crate::text::IdempotencyKey;

/// The account's earning with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &EarningId,
) -> QueryResult<Option<Earning>> {
    Earning::query().find((account, id)).first(conn).optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &EarningId,
) -> QueryResult<Option<Earning>> {
    match conn {
        DbConnection::Postgres(c) => earnings::table
            .find((account, id))
            .select(Earning::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The earning that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Earning>> {
    Earning::query()
        .filter(earnings::account_id.eq(account))
        .filter(earnings::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// A page of the account's earnings.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &EarningFilter,
    page: &Page,
) -> QueryResult<Vec<Earning>> {
    let mut query = Earning::query()
        .filter(earnings::account_id.eq(account))
        .into_boxed();
    wanted!(query, earnings::referral_id, filter.referral_id);
    wanted!(query, earnings::program_id, filter.program_id);
    wanted!(query, earnings::ambassador_id, filter.ambassador_id);
    if let Some(status) = filter.status {
        query = query.filter(earnings::status.eq(status));
    }
    paged!(query, earnings::id, page).load(conn)
}

/// Stores a new earning. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, earning: &Earning) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(earnings::table)
        .values(earning)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what changed of an earning that stood at `from`. `false`: somebody moved it first, and nothing is
/// stored.
pub fn advance(
    conn: &mut DbConnection,
    earning: &Earning,
    from: EarningStatus,
) -> QueryResult<bool> {
    let held = earnings::table
        .find((&earning.account_id, &earning.id))
        .filter(earnings::status.eq(from));
    diesel::update(held)
        .set((
            (
                earnings::amount.eq(earning.amount),
                earnings::currency.eq(&earning.currency),
                earnings::kind.eq(&earning.kind),
                earnings::description.eq(&earning.description),
                earnings::status.eq(earning.status),
                earnings::reference_id.eq(&earning.reference_id),
                earnings::paid_at.eq(earning.paid_at),
                earnings::metadata.eq(&earning.metadata),
                earnings::replaced_by.eq(&earning.replaced_by),
                earnings::updated_at.eq(earning.updated_at),
            ),
            (
                earnings::held.eq(earning.portions.held),
                earnings::available.eq(earning.portions.available),
                earnings::in_payout.eq(earning.portions.in_payout),
                earnings::paid.eq(earning.portions.paid),
                earnings::set_off.eq(earning.portions.set_off),
                earnings::reversed.eq(earning.portions.reversed),
                earnings::clawed_back.eq(earning.portions.clawed_back),
            ),
        ))
        .execute(conn)
        .map(|moved| moved == 1)
}

/// Every earning of a referral, oldest first.
pub fn list_of_referral(
    conn: &mut DbConnection,
    account: &AccountId,
    referral: &ReferralId,
) -> QueryResult<Vec<Earning>> {
    Earning::query()
        .filter(earnings::account_id.eq(account))
        .filter(earnings::referral_id.eq(referral))
        .order(earnings::id)
        .load(conn)
}

/// Every earning that came of a conversion, oldest first.
pub fn list_of_conversion(
    conn: &mut DbConnection,
    account: &AccountId,
    conversion: &ConversionId,
) -> QueryResult<Vec<Earning>> {
    Earning::query()
        .filter(earnings::account_id.eq(account))
        .filter(earnings::conversion_id.eq(conversion))
        .order(earnings::id)
        .load(conn)
}

/// The earning in whose place this one is, if its referral's rejection was taken back.
pub fn find_replaced(conn: &mut DbConnection, earning: &Earning) -> QueryResult<Option<EarningId>> {
    earnings::table
        .filter(earnings::account_id.eq(&earning.account_id))
        .filter(earnings::referral_id.eq(&earning.referral_id))
        .filter(earnings::replaced_by.eq(&earning.id))
        .select(earnings::id)
        .first(conn)
        .optional()
}

/// The next earnings of an ambassador in a currency of which something can be paid, oldest first.
pub fn list_payable(
    conn: &mut DbConnection,
    balance: &Balance,
    after: Option<&EarningId>,
    limit: i64,
) -> QueryResult<Vec<Earning>> {
    let mut query = Earning::query()
        .filter(earnings::account_id.eq(&balance.account_id))
        .filter(earnings::ambassador_id.eq(&balance.ambassador_id))
        .filter(earnings::currency.eq(&balance.currency))
        .filter(earnings::available.gt(0))
        .order(earnings::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(earnings::id.gt(after.clone()));
    }
    query.load(conn)
}

/// The same, of each only how much.
pub fn list_payable_amounts(
    conn: &mut DbConnection,
    balance: &Balance,
    after: Option<&EarningId>,
    limit: i64,
) -> QueryResult<Vec<(EarningId, i64)>> {
    let mut query = earnings::table
        .filter(earnings::account_id.eq(&balance.account_id))
        .filter(earnings::ambassador_id.eq(&balance.ambassador_id))
        .filter(earnings::currency.eq(&balance.currency))
        .filter(earnings::available.gt(0))
        .select((earnings::id, earnings::available))
        .order(earnings::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(earnings::id.gt(after.clone()));
    }
    query.load(conn)
}

/// The next of the account's earnings whose hold ended by `now`.
pub fn list_to_release(
    conn: &mut DbConnection,
    account: &AccountId,
    now: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Earning>> {
    Earning::query()
        .filter(earnings::account_id.eq(account))
        .filter(earnings::held.gt(0))
        .filter(earnings::available_at.le(now))
        .order(earnings::available_at)
        .limit(limit)
        .load(conn)
}

/// Whether the ambassador has a bonus for so many verified referrals that was not taken back.
pub fn has_bonus(conn: &mut DbConnection, owner: &Owner, milestone: i64) -> QueryResult<bool> {
    let standing = earnings::table
        .filter(earnings::account_id.eq(&owner.account_id))
        .filter(earnings::ambassador_id.eq(&owner.ambassador_id))
        .filter(earnings::milestone.eq(milestone))
        .filter((earnings::reversed + earnings::clawed_back).lt(earnings::amount));
    diesel::select(diesel::dsl::exists(standing)).get_result(conn)
}

/// How often an earning has moved.
pub fn count_moves(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &EarningId,
) -> QueryResult<i64> {
    earning_moves::table
        .filter(earning_moves::account_id.eq(account))
        .filter(earning_moves::earning_id.eq(id))
        .count()
        .get_result(conn)
}

/// An earning's moves, first to last.
pub fn list_moves(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &EarningId,
) -> QueryResult<Vec<EarningMove>> {
    EarningMove::query()
        .filter(earning_moves::account_id.eq(account))
        .filter(earning_moves::earning_id.eq(id))
        .order(earning_moves::position)
        .load(conn)
}

/// Stores a move.
pub fn insert_move(conn: &mut DbConnection, step: &EarningMove) -> QueryResult<()> {
    diesel::insert_into(earning_moves::table)
        .values(step)
        .execute(conn)?;
    Ok(())
}
