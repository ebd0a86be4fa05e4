//! The order of writes: when a write happens, and how far a walk along the ids may trust what it sees.
//!
//! Ids begin with the moment of their write, and a walk by cursor asks for what comes after an id. So no write
//! may become visible behind an id that was already seen. SQLite has one writer, which takes the moment itself.
//! On PostgreSQL writes commit in any order, so each registers the moment before it begins (in a shared
//! advisory lock that ends with its transaction), and a walk stops before the oldest that is still registered.
//! The moments are the database's own, so that processes on several machines agree about them.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::DbConnection;
use super::statement::statement;
use crate::clock::{Clock, Timestamp};

#[derive(QueryableByName)]
struct Moment {
    #[diesel(sql_type = BigInt)]
    micros: i64,
}

/// The lock's first number says that it is one of these ("hb"); the second is the millisecond that has begun (a
/// cast would round it up), as far as it fits, so it means something for 24 days. The subquery is evaluated first:
/// the write's own moment is never before the one it registered.
const REGISTER: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros \
    FROM (SELECT pg_advisory_xact_lock_shared(26722, \
        (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint & 2147483647)::int) OFFSET 0) AS registered";

/// The clock is read before the locks: whoever registers later has a later moment. The minute forgives a lock
/// from the millisecond after that reading; the 1,000 is what the clock shows beyond its last whole millisecond.
const SETTLED: &str = "WITH clock AS MATERIALIZED \
        (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros) \
    SELECT clock.micros - 1000 - 1000 * greatest(0, coalesce((SELECT max( \
        ((clock.micros / 1000 - objid::bigint + 60000) & 2147483647) - 60000) \
        FROM pg_locks WHERE locktype = 'advisory' AND classid = 26722 AND objsubid = 2), 0)) AS micros \
    FROM clock";

/// The moment of the write whose transaction has just begun.
pub(super) fn moment(conn: &mut DbConnection, clock: &Clock) -> QueryResult<Timestamp> {
    match (conn, clock) {
        (DbConnection::Postgres(conn), Clock::System) => ask(conn, REGISTER),
        _ => Ok(clock.now()),
    }
}

/// The moment before which every write is visible or will never be. `None`: all of them are.
pub(crate) fn settled_before(
    conn: &mut DbConnection,
    clock: &Clock,
) -> QueryResult<Option<Timestamp>> {
    match (conn, clock) {
        (DbConnection::Postgres(conn), Clock::System) => ask(conn, SETTLED).map(Some),
        _ => Ok(None),
    }
}

/// The moment before which no row will be made any more. `None`: nobody can tell, because the writes take their
/// moments from a clock that the database does not know.
pub(crate) fn closed_before(
    conn: &mut DbConnection,
    clock: &Clock,
) -> QueryResult<Option<Timestamp>> {
    match (&*conn, clock) {
        (DbConnection::Postgres(_), Clock::Fixed(_)) => Ok(None),
        (DbConnection::Postgres(_), Clock::System) => settled_before(conn, clock),
        // Moments are taken by whoever holds the one lock for writing, so they are in the order of the commits.
        (DbConnection::Sqlite(_), _) => Ok(Some(clock.now())),
    }
}

fn ask(conn: &mut PgConnection, question: &'static str) -> QueryResult<Timestamp> {
    let answer: Moment = statement(question).get_result(conn)?;
    Ok(Timestamp::from_micros(answer.micros))
}
