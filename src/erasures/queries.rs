//! Every statement about `erasures`, and those that take what is personal out of other tables.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Text};

use super::blank::{EMAIL, NAME};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::schema::erasures;
use crate::idempotency::ERASED;
use crate::ids::AccountId;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Of a signup: the account is $1, the referral $2.
pub(super) const REFERRAL: &[&str] = &[
    "UPDATE referral_moves SET note = NULL WHERE account_id = $1 AND referral_id = $2",
    "UPDATE impressions SET user_agent = NULL, ip_address = NULL, metadata = '{}', \
     idempotency_fingerprint = CASE WHEN idempotency_key IS NOT NULL THEN 'erased' END \
     WHERE account_id = $1 AND id = (SELECT impression_id FROM referrals WHERE account_id = $1 AND id = $2)",
    "UPDATE conversions SET metadata = '{}', idempotency_fingerprint = 'erased' WHERE account_id = $1 AND referral_id = $2",
    "UPDATE refunds SET metadata = '{}', reason = NULL WHERE account_id = $1 AND conversion_id IN \
     (SELECT id FROM conversions WHERE account_id = $1 AND referral_id = $2)",
    "UPDATE earnings SET metadata = '{}', description = NULL WHERE account_id = $1 AND referral_id = $2",
    "UPDATE earning_moves SET note = NULL WHERE account_id = $1 AND earning_id IN \
     (SELECT id FROM earnings WHERE account_id = $1 AND referral_id = $2)",
];

/// Of an ambassador: the account is $1, the ambassador $2. Payouts before earnings, as whoever settles one locks them.
pub(super) const AMBASSADOR: &[&str] = &[
    "UPDATE payouts SET metadata = '{}', failure_reason = NULL WHERE account_id = $1 AND ambassador_id = $2",
    "UPDATE payout_moves SET note = NULL WHERE account_id = $1 AND payout_id IN \
     (SELECT id FROM payouts WHERE account_id = $1 AND ambassador_id = $2)",
    "UPDATE earnings SET metadata = '{}', description = NULL WHERE account_id = $1 AND ambassador_id = $2 \
     AND (metadata <> '{}' OR description IS NOT NULL)",
    "UPDATE earning_moves SET note = NULL WHERE account_id = $1 AND note IS NOT NULL AND earning_id IN \
     (SELECT id FROM earnings WHERE account_id = $1 AND ambassador_id = $2)",
];

/// The same a few rows at a time, because an ambassador may have very many.
pub(super) const A_FEW_OF_AN_AMBASSADOR: &[&str] = &[
    "UPDATE payouts SET metadata = '{}', failure_reason = NULL WHERE account_id = $1 AND id IN \
     (SELECT id FROM payouts WHERE account_id = $1 AND ambassador_id = $2 \
     AND (metadata <> '{}' OR failure_reason IS NOT NULL) LIMIT 200)",
    "UPDATE payout_moves SET note = NULL WHERE account_id = $1 AND (payout_id, position) IN \
     (SELECT m.payout_id, m.position FROM payout_moves m JOIN payouts p ON p.account_id = m.account_id AND p.id = m.payout_id \
     WHERE p.account_id = $1 AND p.ambassador_id = $2 AND m.note IS NOT NULL LIMIT 200)",
    "UPDATE earnings SET metadata = '{}', description = NULL WHERE account_id = $1 AND id IN \
     (SELECT id FROM earnings WHERE account_id = $1 AND ambassador_id = $2 \
     AND (metadata <> '{}' OR description IS NOT NULL) LIMIT 200)",
    "UPDATE earning_moves SET note = NULL WHERE account_id = $1 AND (earning_id, position) IN \
     (SELECT m.earning_id, m.position FROM earning_moves m JOIN earnings e ON e.account_id = m.account_id AND e.id = m.earning_id \
     WHERE e.account_id = $1 AND e.ambassador_id = $2 AND m.note IS NOT NULL LIMIT 200)",
];

/// What belongs to a signup, for the events about it.
pub(super) const OF_A_REFERRAL: &str = "SELECT id FROM referrals WHERE account_id = $1 AND id = $2 \
    UNION ALL SELECT impression_id FROM referrals WHERE account_id = $1 AND id = $2 \
    UNION ALL SELECT id FROM conversions WHERE account_id = $1 AND referral_id = $2 \
    UNION ALL SELECT r.id FROM refunds r JOIN conversions c ON c.account_id = r.account_id AND c.id = r.conversion_id \
        WHERE c.account_id = $1 AND c.referral_id = $2 \
    UNION ALL SELECT id FROM earnings WHERE account_id = $1 AND referral_id = $2";

/// What belongs to an ambassador.
pub(super) const OF_AN_AMBASSADOR: &str = "SELECT id FROM ambassadors WHERE account_id = $1 AND id = $2 \
    UNION ALL SELECT id FROM earnings WHERE account_id = $1 AND ambassador_id = $2 \
    UNION ALL SELECT id FROM payouts WHERE account_id = $1 AND ambassador_id = $2";

/// A customer's own events.
pub(super) const OF_A_CUSTOMER: &str = "SELECT id FROM customers WHERE account_id = $1 AND id = $2";

/// The ambassador record that a customer has who brings others.
pub(super) const RECORD_OF_A_CUSTOMER: &str =
    "SELECT ambassador_id AS id FROM invitations WHERE account_id = $1 AND customer_id = $2";

/// The signup of a customer who was brought.
pub(super) const SIGNUP_OF_A_CUSTOMER: &str =
    "SELECT referral_id AS id FROM introductions WHERE account_id = $1 AND referred_id = $2";

/// The ids that one of the questions above has for an answer.
pub(super) fn belongings(
    conn: &mut DbConnection,
    question: &'static str,
    account: &AccountId,
    id: &str,
) -> QueryResult<Vec<String>> {
    let named: Vec<Named> = sql_query(question)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(id)
        .load(conn)?;
    Ok(named.into_iter().map(|row| row.id).collect())
}

/// Empties a customer's row, unless it is empty. No two customers share what they are looked for by, so it becomes the id,
/// which no address is.
pub(super) fn empty_the_customer(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &str,
    now: Timestamp,
) -> QueryResult<()> {
    sql_query(format!(
        "UPDATE customers SET email = '{EMAIL}', email_folded = id, name = NULL, phone = NULL, external_id = NULL, \
         metadata = '{{}}', updated_at = $1, \
         idempotency_fingerprint = CASE WHEN idempotency_key IS NOT NULL THEN '{ERASED}' END \
         WHERE account_id = $2 AND id = $3 AND NOT (email = '{EMAIL}' AND email_folded = id AND name IS NULL \
         AND phone IS NULL AND external_id IS NULL AND metadata = '{{}}')"
    ))
    .bind::<BigInt, _>(now)
    .bind::<Integer, _>(account)
    .bind::<Text, _>(id)
    .execute(conn)?;
    Ok(())
}

/// Empties the row of the person itself, unless it is empty. For a signup also what it is looked for by. (SQLite numbers
/// `$…` by where they appear first.)
pub(super) fn empty_the_person(
    conn: &mut DbConnection,
    table: &'static str,
    account: &AccountId,
    id: &str,
    now: Timestamp,
) -> QueryResult<()> {
    let (more, is_less) = match table {
        "referrals" => (
            ", email_folded = '', external_id = NULL",
            " AND email_folded = '' AND external_id IS NULL",
        ),
        _ => ("", ""),
    };
    sql_query(format!(
        "UPDATE {table} SET first_name = '{NAME}', last_name = '{NAME}', email = '{EMAIL}', profile_picture = NULL, \
         metadata = '{{}}'{more}, updated_at = $1, \
         idempotency_fingerprint = CASE WHEN idempotency_key IS NOT NULL THEN '{ERASED}' END \
         WHERE account_id = $2 AND id = $3 AND NOT (first_name = '{NAME}' AND last_name = '{NAME}' AND email = '{EMAIL}' \
         AND profile_picture IS NULL AND metadata = '{{}}'{is_less})"
    ))
    .bind::<BigInt, _>(now)
    .bind::<Integer, _>(account)
    .bind::<Text, _>(id)
    .execute(conn)?;
    Ok(())
}

/// Does what each of the statements says. How many rows that changed.
pub(super) fn empty(
    conn: &mut DbConnection,
    statements: &[&'static str],
    account: &AccountId,
    id: &str,
) -> QueryResult<usize> {
    let mut changed = 0;
    for statement in statements {
        changed += sql_query(*statement)
            .bind::<Integer, _>(account)
            .bind::<Text, _>(id)
            .execute(conn)?;
    }
    Ok(changed)
}

/// Whose, who, and since when: all that are erased.
pub(super) fn all(conn: &mut DbConnection) -> QueryResult<Vec<(AccountId, String, Timestamp)>> {
    erasures::table
        .order((erasures::account_id, erasures::object_id))
        .select((
            erasures::account_id,
            erasures::object_id,
            erasures::erased_at,
        ))
        .load(conn)
}

/// Since when the object is erased.
pub(super) fn erased_at(
    conn: &mut DbConnection,
    account: &AccountId,
    object: &str,
) -> QueryResult<Option<Timestamp>> {
    erasures::table
        .find((account, object))
        .select(erasures::erased_at)
        .first(conn)
        .optional()
}

/// Notes that it is, from now on.
pub(super) fn insert(
    conn: &mut DbConnection,
    account: &AccountId,
    object: &str,
    now: Timestamp,
) -> QueryResult<()> {
    diesel::insert_into(erasures::table)
        .values((
            erasures::account_id.eq(account),
            erasures::object_id.eq(object),
            erasures::erased_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
