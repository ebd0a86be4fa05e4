//! Every statement about `referrals` and `referral_moves`.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::model::{Referral, ReferralFilter, ReferralMove, ReferralStatus};
use crate::db::many::{self, many};
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::{referral_moves, referrals};
use crate::db::statement::by_account;
use crate::db::together::Timed;
use crate::db::{DbConnection, on_each_database};
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId, ReferralId};
use crate::text::IdempotencyKey;

/// The account's referral with this id.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ReferralId,
) -> QueryResult<Option<Referral>> {
    on_each_database!(conn, |c| Referral::query()
        .find((account, id))
        .first(c)
        .optional())
}

/// What is looked up by [`find_each`].
pub type Sought = (AccountId, ReferralId);

/// The accounts' referrals with these ids, one answer for each.
pub fn find_each(
    conn: &mut DbConnection,
    sought: &[Timed<Sought>],
) -> Result<Vec<Option<Referral>>, Error> {
    let found: Vec<Referral> = match conn {
        DbConnection::Postgres(c) if sought.len() > 1 => {
            let mut found = Vec::new();
            for (account, ids) in by_account(sought.iter().map(|one| (&one.item.0, &one.item.1))) {
                let rows: Vec<Referral> = referrals::table
                    .filter(referrals::account_id.eq(account))
                    .filter(referrals::id.eq_any(ids))
                    .select(Referral::as_select())
                    .load(c)?;
                found.extend(rows);
            }
            found
        }
        conn => {
            let mut found = Vec::with_capacity(sought.len());
            for Timed { item, .. } in sought {
                found.push(find(conn, &item.0, &item.1)?);
            }
            return Ok(found);
        }
    };
    let found: HashMap<(&AccountId, &ReferralId), &Referral> = found
        .iter()
        .map(|row| ((&row.account_id, &row.id), row))
        .collect();
    let answers = sought.iter().map(|one| {
        let row = found.get(&(&one.item.0, &one.item.1));
        row.map(|row| (*row).clone())
    });
    Ok(answers.collect())
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

/// The referrals that earlier requests with these keys made.
pub fn find_by_keys(
    conn: &mut DbConnection,
    wanted: &[(&AccountId, &IdempotencyKey)],
) -> QueryResult<Vec<Referral>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    match conn {
        DbConnection::Sqlite(c) => {
            let mut found = Vec::new();
            for (account, key) in wanted {
                let row = referrals::table
                    .filter(referrals::account_id.eq(account))
                    .filter(referrals::idempotency_key.eq(key))
                    .select(Referral::as_select())
                    .first(c)
                    .optional()?;
                found.extend(row);
            }
            Ok(found)
        }
        // One statement per account: with two arrays PostgreSQL walks through all of an account's keys.
        DbConnection::Postgres(c) => {
            let mut found = Vec::new();
            for (account, keys) in by_account(wanted.iter().copied()) {
                let rows: Vec<Referral> = referrals::table
                    .filter(referrals::account_id.eq(account))
                    .filter(referrals::idempotency_key.eq_any(keys))
                    .select(Referral::as_select())
                    .load(c)?;
                found.extend(rows);
            }
            Ok(found)
        }
    }
}

/// How many of an ambassador's referrals are verified.
pub fn count_verified(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
) -> QueryResult<i64> {
    referrals::table
        .filter(referrals::account_id.eq(account))
        .filter(referrals::ambassador_id.eq(ambassador))
        .filter(referrals::status.eq(ReferralStatus::Verified))
        .count()
        .get_result(conn)
}

/// A page of the account's referrals.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ReferralFilter,
    page: &Page,
) -> QueryResult<Vec<Referral>> {
    on_each_database!(conn, |c| {
        let mut query = Referral::query()
            .filter(referrals::account_id.eq(account))
            .into_boxed();
        wanted!(query, referrals::program_id, filter.program_id);
        wanted!(query, referrals::ambassador_id, filter.ambassador_id);
        if let Some(status) = filter.status {
            query = query.filter(referrals::status.eq(status));
        }
        paged!(query, referrals::id, page).load(c)
    })
}

many! {
    /// None was verified yet.
    SignedUp: Referral => "referrals" {
        id: text, impression_id: text, program_id: text, ambassador_id: text, first_name: text, last_name: text,
        email: text, email_folded: text, profile_picture: text_or_null, external_id: text_or_null, status: text,
        metadata: text, idempotency_key: text_or_null, idempotency_fingerprint: text_or_null, created_at: number,
        updated_at: number,
    } then "ON CONFLICT DO NOTHING"
}

/// Stores new referrals, none of which was verified yet. Says of each whether it was stored: of the others the
/// idempotency key was taken.
pub fn insert_new(conn: &mut DbConnection, rows: &[&Referral]) -> QueryResult<Vec<bool>> {
    let mut sorted = rows.to_vec();
    if let DbConnection::Postgres(_) = conn {
        // Two who insert the same keys at once do not wait for each other in a circle.
        let key = |row: &Referral| {
            row.idempotency_key
                .as_ref()
                .map(|key| key.as_str().to_owned())
        };
        sorted.sort_by_cached_key(|row| key(row));
    }
    if many::insert::<SignedUp>(conn, sorted)? == rows.len() {
        return Ok(vec![true; rows.len()]);
    }
    let mut stored = HashSet::new();
    for (account, ids) in by_account(rows.iter().map(|row| (&row.account_id, &row.id))) {
        let found: Vec<ReferralId> = referrals::table
            .filter(referrals::account_id.eq(account))
            .filter(referrals::id.eq_any(ids))
            .select(referrals::id)
            .load(conn)?;
        stored.extend(found);
    }
    Ok(rows.iter().map(|row| stored.contains(&row.id)).collect())
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
            referrals::email_folded.eq(&referral.email_folded),
            referrals::external_id.eq(&referral.external_id),
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
