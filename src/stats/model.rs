//! What is counted.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::ids::{AccountId, AmbassadorId, PosterId, ProgramId, Wanted};
use crate::impressions::model::Impression;
use crate::referrals::model::ReferralStatus;

/// One poster's counts of one day; or what is to be added to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyStats {
    /// Whose they are.
    pub account_id: AccountId,
    /// Days since 1970, UTC.
    pub day: i64,
    /// What was scanned.
    pub poster_id: PosterId,
    /// How often it was scanned on that day.
    pub scans: i64,
    /// Signups of that day that are pending now.
    pub pending: i64,
    /// Signups of that day that are converted now.
    pub converted: i64,
    /// Signups of that day that are verified now.
    pub verified: i64,
    /// Signups of that day that are rejected now.
    pub rejected: i64,
}

impl DailyStats {
    /// The poster of `impression` on the day of `at`, with nothing counted.
    pub fn nothing(impression: &Impression, at: Timestamp) -> Self {
        Self {
            account_id: impression.account_id,
            day: at.day(),
            poster_id: impression.poster_id.clone(),
            scans: 0,
            pending: 0,
            converted: 0,
            verified: 0,
            rejected: 0,
        }
    }

    /// The count of the signups that stand at `status`.
    pub fn standing_at(&mut self, status: ReferralStatus) -> &mut i64 {
        match status {
            ReferralStatus::Pending => &mut self.pending,
            ReferralStatus::Converted => &mut self.converted,
            ReferralStatus::Verified => &mut self.verified,
            ReferralStatus::Rejected => &mut self.rejected,
        }
    }
}

/// The counts of one day, of all the posters that were asked for.
#[derive(Debug, Clone, Queryable)]
pub struct CountsOfDay {
    /// Days since 1970, UTC.
    pub day: i64,
    /// How often posters were scanned on that day.
    pub scans: i64,
    /// Signups of that day that are pending now.
    pub pending: i64,
    /// Signups of that day that are converted now.
    pub converted: i64,
    /// Signups of that day that are verified now.
    pub verified: i64,
    /// Signups of that day that are rejected now.
    pub rejected: i64,
}

/// Which counts.
#[derive(Debug, Clone)]
pub struct StatsFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this poster's.
    pub poster_id: Option<Wanted<PosterId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only from this day on.
    pub from: i64,
    /// Only to this day.
    pub to: i64,
}
