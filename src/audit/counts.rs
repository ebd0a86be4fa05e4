//! Checks: counts against what they count.

use std::collections::BTreeMap;

use super::difference_queries as differences;
use super::queries;
use super::report::Findings;
use super::steps::{self, Walk};
use crate::clock::Day;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

const AMBASSADORS: Walk = Walk::through("ambassadors");
/// Counted by the database, so more of them at once.
const SCANS: Walk = Walk {
    table: "impressions",
    key: "id",
    rows: 50_000,
};

/// Every ambassador's signups are counted by day and by where they stand.
pub(super) fn of_signups(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::list(conn, account, AMBASSADORS, findings, differences::signups)
}

/// Every day's scans are counted.
pub(super) fn of_scans(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let mut days: BTreeMap<i64, i64> = BTreeMap::new();
    steps::each(conn, account, SCANS, findings, |conn, stretch, _| {
        for (day, scans) in queries::scans_by_day(conn, account, stretch)? {
            *days.entry(day).or_default() += scans;
        }
        Ok(())
    })?;
    let kept: BTreeMap<i64, i64> = queries::counted_by_day(conn, account)?
        .into_iter()
        .collect();
    for day in kept
        .keys()
        .chain(days.keys().filter(|day| !kept.contains_key(day)))
    {
        let [kept, is] = [&kept, &days].map(|counts| counts.get(day).copied().unwrap_or(0));
        let about = Day::numbered(*day).start().to_string();
        findings.compare(&about[..10], "the number of scans", kept, is);
    }
    Ok(())
}
