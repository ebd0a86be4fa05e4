//! Every statement about `balances` and `transfers`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::model::{Balance, Reason, Transfer, TransferFilter};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{balances, transfers};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, AmbassadorId, EarningId, ProgramId};
use crate::money::Currency;

/// An ambassador's balance in a currency, held until the transaction ends: whoever else wants to move money of this
/// ambassador in this currency waits. Made when it is first asked for.
pub fn hold(conn: &mut DbConnection, empty: &Balance) -> QueryResult<Balance> {
    let key = (&empty.account_id, &empty.ambassador_id, &empty.currency);
    let held = |conn: &mut DbConnection| match conn {
        DbConnection::Postgres(c) => balances::table
            .find(key)
            .select(Balance::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        // SQLite has one writer: whoever is here is alone.
        DbConnection::Sqlite(c) => Balance::query().find(key).first(c).optional(),
    };
    if let Some(balance) = held(conn)? {
        return Ok(balance);
    }
    on_each_database!(conn, |c| diesel::insert_into(balances::table)
        .values(empty)
        .on_conflict_do_nothing()
        .execute(c))?;
    held(conn)?.ok_or(diesel::result::Error::NotFound)
}

/// Stores a balance that was held.
pub fn store(conn: &mut DbConnection, balance: &Balance) -> QueryResult<()> {
    let key = (
        &balance.account_id,
        &balance.ambassador_id,
        &balance.currency,
    );
    diesel::update(balances::table.find(key))
        .set((
            balances::pending.eq(balance.pending),
            balances::available.eq(balance.available),
            balances::in_payout.eq(balance.in_payout),
            balances::paid.eq(balance.paid),
            balances::owed_back.eq(balance.owed_back),
            balances::transfers.eq(balance.transfers),
            balances::moved_at.eq(balance.moved_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Adds a row to the ledger.
pub fn insert(conn: &mut DbConnection, transfer: &Transfer) -> QueryResult<()> {
    diesel::insert_into(transfers::table)
        .values(transfer)
        .execute(conn)?;
    Ok(())
}

/// An ambassador's balances, by currency.
pub fn list_balances(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
) -> QueryResult<Vec<Balance>> {
    Balance::query()
        .filter(balances::account_id.eq(account))
        .filter(balances::ambassador_id.eq(ambassador))
        .order(balances::currency)
        .load(conn)
}

/// The next balances of a program's ambassadors behind `after`, complete for each ambassador.
pub fn list_of_program(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
    after: Option<&AmbassadorId>,
    ambassadors: i64,
) -> QueryResult<Vec<Balance>> {
    let mut next = balances::table
        .filter(balances::account_id.eq(account))
        .filter(balances::program_id.eq(program))
        .select(balances::ambassador_id)
        .distinct()
        .order(balances::ambassador_id)
        .limit(ambassadors)
        .into_boxed();
    if let Some(after) = after {
        next = next.filter(balances::ambassador_id.gt(after));
    }
    let next: Vec<AmbassadorId> = next.load(conn)?;
    Balance::query()
        .filter(balances::account_id.eq(account))
        .filter(balances::ambassador_id.eq_any(next))
        .order((balances::ambassador_id, balances::currency))
        .load(conn)
}

/// An ambassador's transfers in a currency, in their order: the next `limit` behind the position `after`.
pub fn walk(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    currency: &Currency,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Transfer>> {
    Transfer::query()
        .filter(transfers::account_id.eq(account))
        .filter(transfers::ambassador_id.eq(ambassador))
        .filter(transfers::currency.eq(currency))
        .filter(transfers::position.gt(after))
        .order(transfers::position)
        .limit(limit)
        .load(conn)
}

/// An earning's transfers, first to last.
pub fn list_of_earning(
    conn: &mut DbConnection,
    account: &AccountId,
    earning: &EarningId,
) -> QueryResult<Vec<Transfer>> {
    Transfer::query()
        .filter(transfers::account_id.eq(account))
        .filter(transfers::earning_id.eq(earning))
        .order(transfers::id)
        .load(conn)
}

/// A page of the account's transfers.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &TransferFilter,
    page: &Page,
) -> QueryResult<Vec<Transfer>> {
    let mut query = Transfer::query()
        .filter(transfers::account_id.eq(account))
        .into_boxed();
    wanted!(query, transfers::ambassador_id, filter.ambassador_id);
    wanted!(query, transfers::earning_id, filter.earning_id);
    paged!(query, transfers::id, page).load(conn)
}

/// What an ambassador's transfers before `before` add up to, by currency and reason.
pub fn sums(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    before: Timestamp,
) -> QueryResult<Vec<(Currency, Reason, i64)>> {
    transfers::table
        .filter(transfers::account_id.eq(account))
        .filter(transfers::ambassador_id.eq(ambassador))
        .filter(transfers::created_at.lt(before))
        .group_by((transfers::currency, transfers::reason))
        .order((transfers::currency, transfers::reason))
        .select((
            transfers::currency,
            transfers::reason,
            sql::<BigInt>(SUM_OF_AMOUNTS),
        ))
        .load(conn)
}

/// What an ambassador's first `count` transfers in a currency add up to, by reason.
pub fn sums_of_first(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    currency: &Currency,
    count: i64,
) -> QueryResult<Vec<(Reason, i64)>> {
    transfers::table
        .filter(transfers::account_id.eq(account))
        .filter(transfers::ambassador_id.eq(ambassador))
        .filter(transfers::currency.eq(currency))
        .filter(transfers::position.le(count))
        .group_by(transfers::reason)
        .order(transfers::reason)
        .select((transfers::reason, sql::<BigInt>(SUM_OF_AMOUNTS)))
        .load(conn)
}

/// PostgreSQL's sum of whole numbers is a numeric.
const SUM_OF_AMOUNTS: &str = "CAST(SUM(amount) AS BIGINT)";

/// How many transfers an ambassador had in a currency before `before`. They are its first: see `books`.
pub fn count_before(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    currency: &Currency,
    before: Timestamp,
) -> QueryResult<i64> {
    transfers::table
        .filter(transfers::account_id.eq(account))
        .filter(transfers::ambassador_id.eq(ambassador))
        .filter(transfers::currency.eq(currency))
        .filter(transfers::created_at.lt(before))
        .count()
        .get_result(conn)
}
