//! Every statement about `introductions`.

use diesel::prelude::*;

use super::model::{Introduction, IntroductionFilter};
use crate::db::DbConnection;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::introductions;
use crate::ids::{AccountId, CustomerId, ReferralId};

/// What the account's signup with this id introduced.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<Option<Introduction>> {
    Introduction::query()
        .find((account, id))
        .first(conn)
        .optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<Option<Introduction>> {
    match conn {
        DbConnection::Postgres(c) => introductions::table
            .find((account, id))
            .select(Introduction::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// How this customer was brought.
pub fn find_of_referred(
    conn: &mut DbConnection,
    account: &AccountId,
    referred: &CustomerId,
) -> QueryResult<Option<Introduction>> {
    Introduction::query()
        .filter(introductions::account_id.eq(account))
        .filter(introductions::referred_id.eq(referred))
        .first(conn)
        .optional()
}

/// What these signups introduced, in their order.
pub fn list_of_referrals(
    conn: &mut DbConnection,
    account: &AccountId,
    referrals: Vec<ReferralId>,
) -> QueryResult<Vec<Introduction>> {
    Introduction::query()
        .filter(introductions::account_id.eq(account))
        .filter(introductions::referral_id.eq_any(referrals))
        .order(introductions::referral_id)
        .load(conn)
}

/// A page of the account's introductions, in the order of the signups.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &IntroductionFilter,
    page: &Page,
) -> QueryResult<Vec<Introduction>> {
    let mut query = Introduction::query()
        .filter(introductions::account_id.eq(account))
        .into_boxed();
    wanted!(query, introductions::referrer_id, filter.referrer_id);
    wanted!(query, introductions::referred_id, filter.referred_id);
    paged!(query, introductions::referral_id, page).load(conn)
}

/// Stores new introductions, except of customers who were introduced before.
pub fn insert_new(conn: &mut DbConnection, rows: &[Introduction]) -> QueryResult<()> {
    match conn {
        DbConnection::Postgres(c) => {
            diesel::insert_into(introductions::table)
                .values(rows)
                .on_conflict_do_nothing()
                .execute(c)?;
        }
        DbConnection::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(introductions::table)
                    .values(row)
                    .on_conflict_do_nothing()
                    .execute(c)?;
            }
        }
    }
    Ok(())
}

/// Stores how far an introduction has come.
pub fn update(conn: &mut DbConnection, row: &Introduction) -> QueryResult<()> {
    diesel::update(introductions::table.find((&row.account_id, &row.referral_id)))
        .set((
            introductions::qualified_at.eq(row.qualified_at),
            introductions::conversion_id.eq(&row.conversion_id),
            introductions::rewarded_at.eq(row.rewarded_at),
            introductions::reward_amount.eq(row.reward_amount),
            introductions::reward_unit.eq(&row.reward_unit),
        ))
        .execute(conn)?;
    Ok(())
}
