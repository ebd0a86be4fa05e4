//! Checks: texts are no longer than those that are taken, and objects are objects. PostgreSQL's tables say that of every
//! row; SQLite's leave it to the types where rows come in crowds (docs/decisions/0018), and only there it is looked at.

use super::difference_queries as differences;
use super::queries::{self, Found};
use super::report::Findings;
use super::steps::{Stretch, Walk, list};
use crate::db::{DbConnection, QueryResult};
use crate::error::Error;
use crate::ids::AccountId;

/// Of scans.
pub(super) fn of_scans(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    look(
        conn,
        account,
        "impressions",
        findings,
        differences::odd_scans,
    )
}

/// Of signups.
pub(super) fn of_signups(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    look(
        conn,
        account,
        "referrals",
        findings,
        differences::odd_signups,
    )
}

/// Of events.
pub(super) fn of_events(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let mut after = i64::MIN;
    loop {
        let found = queries::next_events(conn, account, after, STRETCH)?;
        let Some(until) = found.last().copied() else {
            return Ok(());
        };
        findings.looked_at(i64::try_from(found.len()).unwrap_or(i64::MAX));
        if let DbConnection::Sqlite(_) = conn {
            for event in differences::odd_events(conn, account, after, until)? {
                findings.differs(event.id().as_str(), "data is no object");
            }
        }
        after = until;
    }
}

/// How many events are looked at at once.
const STRETCH: i64 = 50_000;

type Odd = fn(&mut DbConnection, &AccountId, &Stretch) -> QueryResult<Vec<Found>>;

fn look(
    conn: &mut DbConnection,
    account: &AccountId,
    table: &'static str,
    findings: &mut Findings,
    odd: Odd,
) -> Result<(), Error> {
    let walk = Walk::far_through(table);
    list(
        conn,
        account,
        walk,
        findings,
        |conn, account, stretch| match conn {
            DbConnection::Sqlite(_) => odd(conn, account, stretch),
            DbConnection::Postgres(_) => Ok(Vec::new()),
        },
    )
}
