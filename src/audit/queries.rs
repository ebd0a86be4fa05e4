//! What the checks compare: rows of a stretch, and what other rows add up to. `difference_queries` has the comparisons
//! that the database makes itself.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::steps::{Stretch, Walk};
use crate::conversions::model::Conversion;
use crate::db::DbConnection;
use crate::db::schema::{balances, conversions, daily_stats, earnings, events, transfers};
use crate::earnings::model::Earning;
use crate::ids::{AccountId, AmbassadorId, ConversionId, EarningId};
use crate::ledger::model::{Balance, Reason};
use crate::money::Currency;

/// Something that does not fit.
#[derive(Debug, QueryableByName)]
pub(super) struct Found {
    /// What.
    #[diesel(sql_type = Text)]
    pub(super) about: String,
    /// How.
    #[diesel(sql_type = Text)]
    pub(super) problem: String,
}

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = Nullable<Text>)]
    last: Option<String>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    counted: i64,
}

/// The last key of the next stretch behind `after`. `None`: there are no more rows.
pub(super) fn last_of_stretch(
    conn: &mut DbConnection,
    account: &AccountId,
    walk: Walk,
    after: &str,
) -> QueryResult<Option<String>> {
    let Walk { table, key, rows } = walk;
    let statement = format!(
        "SELECT MAX(stretch.k) AS last FROM (SELECT {key} AS k FROM {table} \
         WHERE account_id = $1 AND {key} > $2 ORDER BY {key} LIMIT {rows}) stretch"
    );
    let found: Last = sql_query(statement)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(after)
        .get_result(conn)?;
    Ok(found.last)
}

/// How many rows a stretch has.
pub(super) fn count_stretch(
    conn: &mut DbConnection,
    account: &AccountId,
    walk: Walk,
    stretch: &Stretch,
) -> QueryResult<i64> {
    let Walk { table, key, .. } = walk;
    let statement = format!(
        "SELECT COUNT(*) AS counted FROM {table} WHERE account_id = $1 AND {key} > $2 AND {key} <= $3"
    );
    let found: Counted = sql_query(statement)
        .bind::<Integer, _>(account)
        .bind::<Text, _>(&stretch.after)
        .bind::<Text, _>(&stretch.until)
        .get_result(conn)?;
    Ok(found.counted)
}

/// The numbers of the account's next events behind `after`, whether they are given already or not.
pub(super) fn next_events(
    conn: &mut DbConnection,
    account: &AccountId,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<i64>> {
    events::table
        .filter(events::account_id.eq(account))
        .filter(events::sequence.gt(after))
        .order(events::sequence)
        .limit(limit)
        .select(events::sequence)
        .load(conn)
}

/// The balances of the ambassadors in a stretch.
pub(super) fn balances(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<Balance>> {
    Balance::query()
        .filter(balances::account_id.eq(account))
        .filter(balances::ambassador_id.gt(&stretch.after))
        .filter(balances::ambassador_id.le(&stretch.until))
        .order((balances::ambassador_id, balances::currency))
        .load(conn)
}

/// How many transfers the account has.
pub(super) fn count_transfers(conn: &mut DbConnection, account: &AccountId) -> QueryResult<i64> {
    transfers::table
        .filter(transfers::account_id.eq(account))
        .count()
        .get_result(conn)
}

/// What an ambassador's earnings have in one currency.
#[derive(Debug, Clone, Default, Queryable)]
pub(super) struct Portioned {
    pub(super) held: i64,
    pub(super) available: i64,
    pub(super) in_payout: i64,
    pub(super) paid: i64,
    pub(super) owed_back: i64,
}

/// The sums of the portions of the earnings of the ambassadors in a stretch.
pub(super) fn portions_of_ambassadors(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<(AmbassadorId, Currency, Portioned)>> {
    let sum = |what| sql::<BigInt>("CAST(SUM(").sql(what).sql(") AS BIGINT)");
    earnings::table
        .filter(earnings::account_id.eq(account))
        .filter(earnings::ambassador_id.gt(&stretch.after))
        .filter(earnings::ambassador_id.le(&stretch.until))
        .group_by((earnings::ambassador_id, earnings::currency))
        .order((earnings::ambassador_id, earnings::currency))
        .select((
            earnings::ambassador_id,
            earnings::currency,
            (
                sum("held"),
                sum("available"),
                sum("in_payout"),
                sum("paid"),
                sum("clawed_back - set_off"),
            ),
        ))
        .load(conn)
}

/// The earnings in a stretch.
pub(super) fn earnings(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<Earning>> {
    Earning::query()
        .filter(earnings::account_id.eq(account))
        .filter(earnings::id.gt(&stretch.after))
        .filter(earnings::id.le(&stretch.until))
        .order(earnings::id)
        .load(conn)
}

/// An earning, whose money moved, in which currency, why, and how much that was in all.
pub(super) type Moved = (EarningId, AmbassadorId, Currency, Reason, i64);

/// What the transfers of the earnings in a stretch add up to.
pub(super) fn transfers_of_earnings(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<Moved>> {
    transfers::table
        .filter(transfers::account_id.eq(account))
        .filter(transfers::earning_id.gt(&stretch.after))
        .filter(transfers::earning_id.le(&stretch.until))
        .group_by((
            transfers::earning_id,
            transfers::ambassador_id,
            transfers::currency,
            transfers::reason,
        ))
        .select((
            transfers::earning_id,
            transfers::ambassador_id,
            transfers::currency,
            transfers::reason,
            sql::<BigInt>("CAST(SUM(amount) AS BIGINT)"),
        ))
        .load(conn)
}

/// The conversions in a stretch.
pub(super) fn conversions(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<Conversion>> {
    Conversion::query()
        .filter(conversions::account_id.eq(account))
        .filter(conversions::id.gt(&stretch.after))
        .filter(conversions::id.le(&stretch.until))
        .order(conversions::id)
        .load(conn)
}

/// What stands of the earnings of the conversions in a stretch.
pub(super) fn standing_of_conversions(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<(Option<ConversionId>, i64)>> {
    earnings::table
        .filter(earnings::account_id.eq(account))
        .filter(earnings::conversion_id.gt(&stretch.after))
        .filter(earnings::conversion_id.le(&stretch.until))
        .group_by(earnings::conversion_id)
        .select((
            earnings::conversion_id,
            sql::<BigInt>("CAST(SUM(amount - reversed - clawed_back) AS BIGINT)"),
        ))
        .load(conn)
}

/// The conversions in a stretch whose referral is rejected.
pub(super) fn conversions_of_rejected(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<ConversionId>> {
    conversions::table
        .filter(conversions::account_id.eq(account))
        .filter(conversions::id.gt(&stretch.after))
        .filter(conversions::id.le(&stretch.until))
        .filter(sql::<diesel::sql_types::Bool>(
            "EXISTS (SELECT 1 FROM referrals r WHERE r.account_id = conversions.account_id \
             AND r.id = conversions.referral_id AND r.status = 'rejected')",
        ))
        .select(conversions::id)
        .load(conn)
}

#[derive(QueryableByName)]
struct OfDay {
    #[diesel(sql_type = BigInt)]
    day: i64,
    #[diesel(sql_type = BigInt)]
    counted: i64,
}

/// How many scans of a stretch are of which day.
pub(super) fn scans_by_day(
    conn: &mut DbConnection,
    account: &AccountId,
    stretch: &Stretch,
) -> QueryResult<Vec<(i64, i64)>> {
    let found: Vec<OfDay> = sql_query(
        "SELECT scanned_at / 86400000000 AS day, COUNT(*) AS counted FROM impressions \
         WHERE account_id = $1 AND id > $2 AND id <= $3 GROUP BY scanned_at / 86400000000",
    )
    .bind::<Integer, _>(account)
    .bind::<Text, _>(&stretch.after)
    .bind::<Text, _>(&stretch.until)
    .load(conn)?;
    Ok(found
        .into_iter()
        .map(|row| (row.day, row.counted))
        .collect())
}

/// How many scans were counted on which day.
pub(super) fn counted_by_day(
    conn: &mut DbConnection,
    account: &AccountId,
) -> QueryResult<Vec<(i64, i64)>> {
    daily_stats::table
        .filter(daily_stats::account_id.eq(account))
        .group_by(daily_stats::day)
        .select((
            daily_stats::day,
            sql::<BigInt>("CAST(SUM(scans) AS BIGINT)"),
        ))
        .load(conn)
}
