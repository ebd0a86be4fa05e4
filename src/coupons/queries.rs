//! Every statement about `coupons`.

use diesel::prelude::*;

use super::model::{Coupon, CouponCode, CouponFilter};
use crate::clock::Timestamp;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{coupons, introductions};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ConversionId, CustomerId, ReferralId};

/// The account's coupon with this code.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    code: &CouponCode,
) -> QueryResult<Option<Coupon>> {
    Coupon::query().find((account, code)).first(conn).optional()
}

/// The coupons of these referrals.
pub fn list_of_referrals(
    conn: &mut DbConnection,
    account: &AccountId,
    referrals: &[ReferralId],
) -> QueryResult<Vec<Coupon>> {
    Coupon::query()
        .filter(coupons::account_id.eq(account))
        .filter(coupons::referral_id.eq_any(referrals.to_vec()))
        .load(conn)
}

/// A page of the account's coupons, in the order of the signups.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &CouponFilter,
    page: &Page,
) -> QueryResult<Vec<Coupon>> {
    let mut query = Coupon::query()
        .filter(coupons::account_id.eq(account))
        .into_boxed();
    wanted!(query, coupons::referral_id, filter.referral_id);
    paged!(query, coupons::referral_id, page).load(conn)
}

/// Stores new coupons.
pub fn insert(conn: &mut DbConnection, rows: &[Coupon]) -> QueryResult<()> {
    match conn {
        DbConnection::Postgres(c) => {
            diesel::insert_into(coupons::table)
                .values(rows)
                .execute(c)?;
        }
        DbConnection::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(coupons::table).values(row).execute(c)?;
            }
        }
    }
    Ok(())
}

/// Uses a coupon for a conversion. `false`: somebody was faster.
pub fn redeem(
    conn: &mut DbConnection,
    coupon: &Coupon,
    conversion: &ConversionId,
    at: Timestamp,
) -> QueryResult<bool> {
    let unused = coupons::table
        .find((&coupon.account_id, &coupon.code))
        .filter(coupons::used_at.is_null());
    diesel::update(unused)
        .set((
            coupons::conversion_id.eq(Some(conversion)),
            coupons::used_at.eq(Some(at)),
        ))
        .execute(conn)
        .map(|used| used == 1)
}

/// How many coupons were used from `from` until before `until`.
pub fn count_used(
    conn: &mut DbConnection,
    account: &AccountId,
    from: Timestamp,
    until: Timestamp,
) -> QueryResult<i64> {
    coupons::table
        .filter(coupons::account_id.eq(account))
        .filter(coupons::used_at.ge(from))
        .filter(coupons::used_at.lt(until))
        .count()
        .get_result(conn)
}

/// How many coupons were used by those whom a customer brought.
pub fn count_used_through(
    conn: &mut DbConnection,
    account: &AccountId,
    referrer: &CustomerId,
) -> QueryResult<i64> {
    on_each_database!(conn, |c| introductions::table
        .inner_join(
            coupons::table.on(coupons::account_id
                .eq(introductions::account_id)
                .and(coupons::referral_id.eq(introductions::referral_id))),
        )
        .filter(introductions::account_id.eq(account))
        .filter(introductions::referrer_id.eq(referrer))
        .filter(coupons::used_at.is_not_null())
        .count()
        .get_result(c))
}
