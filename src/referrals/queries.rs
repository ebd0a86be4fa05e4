//! Every statement about `referrals` and `referral_moves`.

use diesel::prelude::*;

use super::model::{Referral, ReferralFilter, ReferralMove, ReferralStatus};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{referral_moves, referrals};
use crate::db::{DbConnection, on_each_database};
use crate::ids::{AccountId, ReferralId};
use crate::text::IdempotencyKey;

/// The account's referral with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<Option<Referral>> {
    Referral::query().find((account, id)).first(conn).optional()
}

/// The same, held until the transaction ends: nobody else changes it meanwhile.
pub fn find_to_change(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<Option<Referral>> {
    match conn {
        DbConnection::Postgres(c) => referrals::table
            .find((account, id))
            .select(Referral::as_select())
            .for_no_key_update()
            .first(c)
            .optional(),
        DbConnection::Sqlite(_) => find(conn, account, id),
    }
}

/// The referral that an earlier request with this key made.
pub fn find_by_key(
    conn: &mut DbConnection,
    account: &AccountId,
    key: &IdempotencyKey,
) -> QueryResult<Option<Referral>> {
    Referral::query()
        .filter(referrals::account_id.eq(account))
        .filter(referrals::idempotency_key.eq(key))
        .first(conn)
        .optional()
}

/// A page of the account's referrals.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ReferralFilter,
    page: &Page,
) -> QueryResult<Vec<Referral>> {
    let mut query = Referral::query()
        .filter(referrals::account_id.eq(account))
        .into_boxed();
    wanted!(query, referrals::program_id, filter.program_id);
    wanted!(query, referrals::ambassador_id, filter.ambassador_id);
    if let Some(status) = filter.status {
        query = query.filter(referrals::status.eq(status));
    }
    paged!(query, referrals::id, page).load(conn)
}

/// Stores a new referral. `false`: its idempotency key is taken.
pub fn insert_if_new(conn: &mut DbConnection, referral: &Referral) -> QueryResult<bool> {
    on_each_database!(conn, |c| diesel::insert_into(referrals::table)
        .values(referral)
        .on_conflict_do_nothing()
        .execute(c))
    .map(|inserted| inserted == 1)
}

/// Stores what changed of a referral that stood at `from`. `false`: somebody moved it first, and nothing is
/// stored.
pub fn advance(
    conn: &mut DbConnection,
    referral: &Referral,
    from: ReferralStatus,
) -> QueryResult<bool> {
    let held = referrals::table
        .find((&referral.account_id, &referral.id))
        .filter(referrals::status.eq(from));
    diesel::update(held)
        .set((
            referrals::first_name.eq(&referral.first_name),
            referrals::last_name.eq(&referral.last_name),
            referrals::email.eq(&referral.email),
            referrals::profile_picture.eq(&referral.profile_picture),
            referrals::status.eq(referral.status),
            referrals::verified_at.eq(referral.verified_at),
            referrals::metadata.eq(&referral.metadata),
            referrals::updated_at.eq(referral.updated_at),
        ))
        .execute(conn)
        .map(|moved| moved == 1)
}

/// How often a referral has moved.
pub fn count_moves(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<i64> {
    referral_moves::table
        .filter(referral_moves::account_id.eq(account))
        .filter(referral_moves::referral_id.eq(id))
        .count()
        .get_result(conn)
}

/// A referral's moves, first to last.
pub fn list_moves(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<Vec<ReferralMove>> {
    ReferralMove::query()
        .filter(referral_moves::account_id.eq(account))
        .filter(referral_moves::referral_id.eq(id))
        .order(referral_moves::position)
        .load(conn)
}

/// Stores a move.
pub fn insert_move(conn: &mut DbConnection, step: &ReferralMove) -> QueryResult<()> {
    diesel::insert_into(referral_moves::table)
        .values(step)
        .execute(conn)?;
    Ok(())
}
