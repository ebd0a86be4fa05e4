//! Verb: what happened is counted.

use std::collections::BTreeMap;

use super::model::DailyStats;
use super::queries;
use crate::db::DbConnection;
use crate::error::Error;
use crate::impressions::model::Impression;
use crate::referrals::model::{Referral, ReferralStatus};

/// Adds up `counts` that are of the same poster and day and stores each sum. Always in the same order, so that two
/// who count at once do not wait for each other in a circle.
pub fn tally(
    conn: &mut DbConnection,
    counts: impl IntoIterator<Item = DailyStats>,
) -> Result<(), Error> {
    let mut sums = BTreeMap::new();
    for count in counts {
        let key = (count.account_id.clone(), count.day, count.poster_id.clone());
        sums.entry(key)
            .and_modify(|sum: &mut DailyStats| sum.add(&count))
            .or_insert(count);
    }
    let sums: Vec<DailyStats> = sums.into_values().collect();
    Ok(queries::add(conn, &sums)?)
}

/// A scan.
pub fn scanned(impression: &Impression) -> DailyStats {
    let mut count = DailyStats::nothing(impression, impression.scanned_at);
    count.scans = 1;
    count
}

/// A signup that `impression` led to.
pub fn signed_up(referral: &Referral, impression: &Impression) -> DailyStats {
    let mut count = DailyStats::nothing(impression, referral.created_at);
    *count.standing_at(referral.status) = 1;
    count
}

/// A signup that stood at `from` stands where it stands now.
pub fn moved(
    conn: &mut DbConnection,
    referral: &Referral,
    impression: &Impression,
    from: ReferralStatus,
) -> Result<(), Error> {
    let mut change = DailyStats::nothing(impression, referral.created_at);
    *change.standing_at(from) -= 1;
    *change.standing_at(referral.status) += 1;
    Ok(queries::shift(conn, &change)?)
}
