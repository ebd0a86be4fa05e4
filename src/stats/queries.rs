//! Every statement about `daily_stats`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use super::model::{CountsOfDay, DailyStats, StatsFilter};
use crate::db::DbConnection;
use crate::db::many::{self, many};
use crate::db::page::wanted;
use crate::db::schema::{daily_stats, posters};
use crate::db::statement::statement;
use crate::ids::{AccountId, Wanted};

many! {
    /// The sum is the database's, not ours: nobody's count is lost.
    Counts: DailyStats => "daily_stats" {
        day: number, poster_id: text, scans: number, pending: number, converted: number, verified: number,
        rejected: number,
    } then "ON CONFLICT (account_id, day, poster_id) DO UPDATE SET scans = daily_stats.scans + excluded.scans, \
        pending = daily_stats.pending + excluded.pending, converted = daily_stats.converted + excluded.converted, \
        verified = daily_stats.verified + excluded.verified, rejected = daily_stats.rejected + excluded.rejected"
}

const SHIFT: &str = "UPDATE daily_stats SET pending = pending + ?, converted = converted + ?, \
        verified = verified + ?, rejected = rejected + ? \
    WHERE account_id = ? AND day = ? AND poster_id = ?";

/// Adds `counts` to what is stored. No two may be of the same poster and day.
pub fn add(conn: &mut DbConnection, counts: &[DailyStats]) -> QueryResult<()> {
    many::insert::<Counts>(conn, counts).map(drop)
}

/// Adds `change`, which may take away, to counts that are there.
pub fn shift(conn: &mut DbConnection, change: &DailyStats) -> QueryResult<()> {
    let shift = statement(SHIFT)
        .bind::<BigInt, _>(change.pending)
        .bind::<BigInt, _>(change.converted)
        .bind::<BigInt, _>(change.verified)
        .bind::<BigInt, _>(change.rejected)
        .bind::<Integer, _>(&change.account_id)
        .bind::<BigInt, _>(change.day)
        .bind::<Text, _>(&change.poster_id);
    let shifted = match conn {
        DbConnection::Sqlite(c) => shift.execute(c)?,
        DbConnection::Postgres(c) => shift.execute(c)?,
    };
    // Whoever moves was counted when it came.
    (shifted == 1)
        .then_some(())
        .ok_or(diesel::result::Error::NotFound)
}

/// The account's counts of each day on which something happened, oldest first.
pub fn by_day(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &StatsFilter,
) -> QueryResult<Vec<CountsOfDay>> {
    let sum = |counts: &str| sql::<BigInt>(&format!("CAST(SUM({counts}) AS BIGINT)"));
    // As a sum and not as the column itself: SQLite would rather walk through all posters' days, in their order.
    let day = || sql::<BigInt>("daily_stats.day + 0");
    let mut query = daily_stats::table
        .filter(daily_stats::account_id.eq(account))
        .filter(daily_stats::day.between(filter.from, filter.to))
        .group_by(day())
        .select((
            day(),
            sum("scans"),
            sum("pending"),
            sum("converted"),
            sum("verified"),
            sum("rejected"),
        ))
        .order(day())
        .into_boxed();
    wanted!(query, daily_stats::poster_id, filter.poster_id);
    let posters = posters::table
        .filter(posters::account_id.eq(account))
        .select(posters::id);
    if let Some(Wanted(program)) = &filter.program_id {
        let its = posters.filter(posters::program_id.nullable().eq(program));
        query = query.filter(daily_stats::poster_id.eq_any(its));
    }
    if let Some(Wanted(ambassador)) = &filter.ambassador_id {
        let theirs = posters.filter(posters::ambassador_id.nullable().eq(ambassador));
        query = query.filter(daily_stats::poster_id.eq_any(theirs));
    }
    query.load(conn)
}
