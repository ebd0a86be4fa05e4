//! Verb: what happened is counted.

use std::collections::BTreeMap;

use super::model::DailyStats;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::impressions::model::Impression;
use crate::referrals::model::{Referral, ReferralStatus};

/// Something to count, at the poster of an impression.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    impression: &'a Impression,
    at: Timestamp,
    /// Where a signup stands; none: a scan.
    status: Option<ReferralStatus>,
}

/// Adds up what is of the same poster and day and stores each sum. Always in the same order, so that two who count at
/// once do not wait for each other in a circle.
pub fn tally<'a>(
    conn: &mut DbConnection,
    counted: impl IntoIterator<Item = Counted<'a>>,
) -> Result<(), Error> {
    let mut sums = BTreeMap::new();
    for Counted {
        impression,
        at,
        status,
    } in counted
    {
        let key = (&impression.account_id, at.day(), &impression.poster_id);
        let sum = sums
            .entry(key)
            .or_insert_with(|| DailyStats::nothing(impression, at));
        *match status {
            None => &mut sum.scans,
            Some(status) => sum.standing_at(status),
        } += 1;
    }
    let sums: Vec<DailyStats> = sums.into_values().collect();
    Ok(queries::add(conn, &sums)?)
}

/// A scan.
pub fn scanned(impression: &Impression) -> Counted<'_> {
    Counted {
        impression,
        at: impression.scanned_at,
        status: None,
    }
}

/// A signup that `impression` led to.
pub fn signed_up<'a>(referral: &Referral, impression: &'a Impression) -> Counted<'a> {
    Counted {
        impression,
        at: referral.created_at,
        status: Some(referral.status),
    }
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
