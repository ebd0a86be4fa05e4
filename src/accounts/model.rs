//! A tenant, and where its days begin.

use chrono::{DateTime, Offset, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Serialize, Serializer};

use crate::clock::{Day, Timestamp};
use crate::db::columns::stored_as_text;
use crate::db::schema::accounts;
use crate::ids::AccountId;
use crate::parse::{Complaint, Parse};
use crate::text::Name;

/// The name of the account that exists without anybody asking for it.
pub const DEFAULT_NAME: &str = "default";

/// The owner of keys, programs and everything below them.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub struct Account {
    /// `acct_…`
    pub id: AccountId,
    /// How the command line calls it; unique.
    pub name: Name,
    /// When its days begin.
    pub time_zone: TimeZone,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// A time zone, by the name that the IANA gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct TimeZone(Tz);

stored_as_text!(TimeZone);

impl TimeZone {
    /// The name.
    pub fn as_str(&self) -> &str {
        self.0.name()
    }

    /// The first moment of a day there.
    pub fn start_of(self, day: Day) -> Timestamp {
        let midnight = DateTime::from_timestamp_micros(day.start().micros()).unwrap_or_default();
        let midnight = midnight.naive_utc();
        if let Some(start) = self.0.from_local_datetime(&midnight).earliest() {
            return Timestamp::from_micros(start.timestamp_micros());
        }
        // The clocks leap over midnight: the day begins when they leap.
        let before = self
            .0
            .offset_from_utc_datetime(&(midnight - TimeDelta::days(1)));
        let offset = i64::from(before.fix().local_minus_utc());
        day.start().plus_seconds(-offset)
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "every stored type has this signature"
    )]
    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Self::parse(&text)
    }
}

/// UTC.
impl Default for TimeZone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Parse for TimeZone {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = "must be the name of a time zone, such as Europe/Lisbon or UTC";
        let zone = text.trim().parse().map(Self);
        zone.map_err(|_| Complaint::new("unknown_time_zone", complaint))
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_the_account_is() {
        for (zone, day, start) in [
            ("UTC", "2024-07-01", "2024-07-01T00:00:00Z"),
            ("Europe/Lisbon", "2024-07-01", "2024-06-30T23:00:00Z"),
            ("Europe/Lisbon", "2024-01-01", "2024-01-01T00:00:00Z"),
            ("Asia/Kathmandu", "2024-01-01", "2023-12-31T18:15:00Z"),
            // At midnight the clocks leapt to one o'clock.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            // There were two midnights.
            ("America/Havana", "2024-11-03", "2024-11-03T04:00:00Z"),
            // A day that was left out begins and ends at once.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ] {
            let zone = TimeZone::parse(zone).unwrap();
            let day = Day::parse(day).unwrap();
            assert_eq!(zone.start_of(day).to_string(), start, "{}", zone.as_str());
        }
    }

    #[test]
    fn only_names_of_zones_are_taken() {
        for text in ["", "Lisbon", "+01:00", "Europe/Lisboa", "europe/lisbon"] {
            assert!(TimeZone::parse(text).is_err(), "{text}");
        }
    }
}
