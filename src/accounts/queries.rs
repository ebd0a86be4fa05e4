//! Every statement about `accounts`.

use diesel::prelude::*;

use super::model::{Account, TimeZone};
use crate::db::schema::accounts;
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, Id};

/// Whether there is any account at all.
pub fn any(conn: &mut DbConnection) -> QueryResult<bool> {
    accounts::table
        .count()
        .get_result(conn)
        .map(|count: i64| count > 0)
}

/// The account with this id, which is known to be there.
pub fn find(conn: &mut DbConnection, id: &AccountId) -> QueryResult<Account> {
    Account::query().find(id).first(conn)
}

/// The account with this name or this id.
pub fn find_by_name_or_id(conn: &mut DbConnection, text: &str) -> QueryResult<Option<Account>> {
    let id = AccountId::from_outside(text);
    Account::query()
        .filter(
            accounts::name
                .eq(text)
                .or(accounts::id.nullable().eq(id).assume_not_null()),
        )
        .first(conn)
        .optional()
}

/// All accounts, oldest first.
pub fn list(conn: &mut DbConnection) -> QueryResult<Vec<Account>> {
    Account::query()
        .order((accounts::created_at, accounts::id))
        .load(conn)
}

/// Stores a new account. `false`: the name or the id is taken.
pub fn insert_if_new(conn: &mut DbConnection, account: &Account) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(accounts::table)
        .values(account)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores when an account's days begin.
pub fn update_time_zone(
    conn: &mut DbConnection,
    id: &AccountId,
    time_zone: TimeZone,
) -> QueryResult<()> {
    diesel::update(accounts::table.find(id))
        .set(accounts::time_zone.eq(time_zone))
        .execute(conn)?;
    Ok(())
}
