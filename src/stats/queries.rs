//! Every statement about `daily_stats`.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use super::model::{DailyStats, StatsFilter};
use crate::db::DbConnection;
use crate::db::page::wanted;
use crate::db::schema::daily_stats;
use crate::db::statement::{column, statement};
use crate::ids::AccountId;

/// SQLite: one row. The sum is the database's, not ours: nobody's count is lost.
const ADD_ONE: &str = "INSERT INTO daily_stats (account_id, day, poster_id, program_id, ambassador_id, \
        scans, pending, converted, verified, rejected) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (account_id, day, poster_id) DO UPDATE SET scans = scans + excluded.scans, \
        pending = pending + excluded.pending, converted = converted + excluded.converted, \
        verified = verified + excluded.verified, rejected = rejected + excluded.rejected";

/// PostgreSQL: all rows.
const ADD_MANY: &str = "INSERT INTO daily_stats AS d (account_id, day, poster_id, program_id, ambassador_id, \
        scans, pending, converted, verified, rejected) \
    SELECT * FROM unnest(?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[], \
        ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) \
    ON CONFLICT (account_id, day, poster_id) DO UPDATE SET scans = d.scans + excluded.scans, \
        pending = d.pending + excluded.pending, converted = d.converted + excluded.converted, \
        verified = d.verified + excluded.verified, rejected = d.rejected + excluded.rejected";

const SHIFT: &str = "UPDATE daily_stats SET pending = pending + ?, converted = converted + ?, \
        verified = verified + ?, rejected = rejected + ? \
    WHERE account_id = ? AND day = ? AND poster_id = ?";

/// Adds `counts` to what is stored. No two may be of the same poster and day.
pub fn add(conn: &mut DbConnection, counts: &[DailyStats]) -> QueryResult<()> {
    match conn {
        DbConnection::Sqlite(c) => {
            for count in counts {
                statement(ADD_ONE)
                    .bind::<Text, _>(&count.account_id)
                    .bind::<BigInt, _>(count.day)
                    .bind::<Text, _>(&count.poster_id)
                    .bind::<Text, _>(&count.program_id)
                    .bind::<Text, _>(&count.ambassador_id)
                    .bind::<BigInt, _>(count.scans)
                    .bind::<BigInt, _>(count.pending)
                    .bind::<BigInt, _>(count.converted)
                    .bind::<BigInt, _>(count.verified)
                    .bind::<BigInt, _>(count.rejected)
                    .execute(c)?;
            }
        }
        DbConnection::Postgres(c) => {
            statement(ADD_MANY)
                .bind::<Array<Text>, _>(column!(counts, account_id))
                .bind::<Array<BigInt>, _>(column!(counts, day))
                .bind::<Array<Text>, _>(column!(counts, poster_id))
                .bind::<Array<Text>, _>(column!(counts, program_id))
                .bind::<Array<Text>, _>(column!(counts, ambassador_id))
                .bind::<Array<BigInt>, _>(column!(counts, scans))
                .bind::<Array<BigInt>, _>(column!(counts, pending))
                .bind::<Array<BigInt>, _>(column!(counts, converted))
                .bind::<Array<BigInt>, _>(column!(counts, verified))
                .bind::<Array<BigInt>, _>(column!(counts, rejected))
                .execute(c)?;
        }
    }
    Ok(())
}

/// Adds `change`, which may take away, to counts that are there.
pub fn shift(conn: &mut DbConnection, change: &DailyStats) -> QueryResult<()> {
    let shift = statement(SHIFT)
        .bind::<BigInt, _>(change.pending)
        .bind::<BigInt, _>(change.converted)
        .bind::<BigInt, _>(change.verified)
        .bind::<BigInt, _>(change.rejected)
        .bind::<Text, _>(&change.account_id)
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

/// The account's counts, by day and poster.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &StatsFilter,
) -> QueryResult<Vec<DailyStats>> {
    let mut query = DailyStats::query()
        .filter(daily_stats::account_id.eq(account))
        .filter(daily_stats::day.between(filter.from, filter.to))
        .order(daily_stats::day)
        .into_boxed();
    wanted!(query, daily_stats::program_id, filter.program_id);
    wanted!(query, daily_stats::poster_id, filter.poster_id);
    wanted!(query, daily_stats::ambassador_id, filter.ambassador_id);
    query.load(conn)
}
