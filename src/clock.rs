//! Moments and where they come from. The only file that may ask the system for the time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, Months, NaiveDate, Timelike, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::BigInt;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::db::columns::stored_as_number;
use crate::parse::{Complaint, Parse};

/// A moment in UTC, in whole microseconds since 1970; stored as that number in both databases.
/// On the wire it is ISO 8601 in whole seconds, `2024-01-15T10:30:00Z`, as the Vantio documents show.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow, ToSchema,
)]
#[diesel(sql_type = BigInt)]
#[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:00Z")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `micros` microseconds after the start of 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start of 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether the two are the same on the wire, which shows whole seconds.
    pub const fn looks_like(self, other: Self) -> bool {
        self.0.div_euclid(1_000_000) == other.0.div_euclid(1_000_000)
    }

    /// The first moment that looks like this one on the wire.
    #[must_use]
    pub const fn start_of_second(self) -> Self {
        Self(self.0.div_euclid(1_000_000).saturating_mul(1_000_000))
    }

    /// This moment moved by whole seconds, which may be negative.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

impl Timestamp {
    /// The day of this moment in UTC, as days since the start of 1970.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The first moment of this moment's month, in UTC.
    #[must_use]
    pub fn start_of_month(self) -> Self {
        let date = self.moment().date_naive();
        Self((self.day() - i64::from(date.day0())) * DAY)
    }

    /// The first moment of this moment's year, in UTC.
    #[must_use]
    pub fn start_of_year(self) -> Self {
        let date = self.moment().date_naive();
        Self((self.day() - i64::from(date.ordinal0())) * DAY)
    }

    /// The same time on the same day so many calendar months later, or on the month's last day if it is shorter.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let later = self.moment().checked_add_months(Months::new(months));
        later.map_or(Self(i64::MAX), |later| Self(later.timestamp_micros()))
    }

    fn moment(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

/// A day's microseconds.
const DAY: i64 = 86_400_000_000;
/// The first moment of the year 0 and the last of 9999.
const FIRST: i64 = -62_167_219_200_000_000;
const LAST: i64 = 253_402_300_799_999_999;

/// A day in UTC; `2024-01-15` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = Date, example = "2024-01-15")]
pub struct Day(i64);

impl Day {
    /// The day of `moment`.
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.day())
    }

    /// The day that is `number` days after the start of 1970.
    pub const fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// Days since the start of 1970.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The first moment of the day.
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(DAY))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let date = DateTime::from_timestamp(self.0.saturating_mul(86_400), 0).unwrap_or_default();
        serializer.collect_str(&date.date_naive())
    }
}

impl Parse for Day {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new("invalid_day", "must be a day such as 2024-01-15");
        let date = text.parse::<NaiveDate>().map_err(|_| complaint())?;
        let moment = date.and_time(chrono::NaiveTime::MIN).and_utc();
        // `2024-1-5` and `+2024-01-05` are dates too, but not in the one form that the documents have.
        if !(1..=9999).contains(&moment.year()) || date.to_string() != text {
            return Err(complaint());
        }
        Ok(Self(moment.timestamp().div_euclid(86_400)))
    }
}

impl Timestamp {
    /// As it is written on the wire, which has four digits for a year: what lies beyond them is the last moment that has.
    fn text(self) -> [u8; 20] {
        // A list says two or three moments per row, so they are put together from digits, without a format string.
        let moment = Self(self.0.clamp(FIRST, LAST)).moment();
        let (date, time) = (moment.date_naive(), moment.num_seconds_from_midnight());
        let year = date.year().unsigned_abs();
        let mut text = *b"0000-00-00T00:00:00Z";
        for (place, number) in [
            (0, year / 100),
            (2, year % 100),
            (5, date.month()),
            (8, date.day()),
            (11, time / 3600),
            (14, time / 60 % 60),
            (17, time % 60),
        ] {
            let number = u8::try_from(number).unwrap_or(0);
            text[place] += number / 10;
            text[place + 1] += number % 10;
        }
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Parse for Timestamp {
    /// RFC 3339 with any offset; fractions of a second are kept to the microsecond.
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || {
            Complaint::new(
                "invalid_timestamp",
                "must be an ISO 8601 time with a zone, such as 2024-01-15T10:30:00Z, from 1970 on",
            )
        };
        let moment = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| complaint())?;
        let moment = Self(moment.timestamp_micros());
        // Ids sort by time from 1970 on, and the wire format writes four digits of a year. A leap second is the first of
        // the next minute, which may be in the year after.
        if !(1970..=9999).contains(&moment.moment().year()) {
            return Err(complaint());
        }
        Ok(moment)
    }
}

stored_as_number!(Timestamp);

/// Where `now` comes from: the system in production, a hand to turn in tests.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A moment that moves when told to, and by a microsecond whenever it is read, so that two readings never
    /// tie. Clones share it.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.micros())))
    }

    /// The present moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(Utc::now().timestamp_micros()),
            Self::Fixed(micros) => Timestamp(micros.fetch_add(1, Ordering::SeqCst)),
        }
    }

    /// Turns a fixed clock by whole seconds; the system's clock is left alone.
    pub fn advance(&self, seconds: i64) {
        if let Self::Fixed(micros) = self {
            micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_shows_whole_seconds_in_utc() {
        let moment = Timestamp::parse("2024-01-15T12:30:00.987654+02:00").unwrap();
        assert_eq!(moment.to_string(), "2024-01-15T10:30:00Z");
        assert_eq!(moment.micros() % 1_000_000, 987_654);
    }

    #[test]
    fn every_moment_can_be_written() {
        for (micros, written) in [
            (i64::MIN, "0000-01-01T00:00:00Z"),
            (FIRST, "0000-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (LAST, "9999-12-31T23:59:59Z"),
            (LAST + 1, "9999-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(micros).to_string(), written);
        }
    }

    #[test]
    fn months_and_years_are_the_calendars() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let leap_day = at("2024-02-29T23:59:59Z");
        assert_eq!(leap_day.start_of_month(), at("2024-02-01T00:00:00Z"));
        assert_eq!(leap_day.start_of_year(), at("2024-01-01T00:00:00Z"));
        assert_eq!(leap_day.plus_months(12), at("2025-02-28T23:59:59Z"));
        assert_eq!(
            at("2024-01-31T10:00:00Z").plus_months(1),
            at("2024-02-29T10:00:00Z")
        );
        assert_eq!(Day::of(leap_day).start(), at("2024-02-29T00:00:00Z"));
    }

    #[test]
    fn a_day_has_one_form() {
        assert_eq!(
            Day::parse("2024-02-29").unwrap().next(),
            Day::parse("2024-03-01").unwrap()
        );
        // Programs say so for "since ever".
        assert!(Day::parse("0001-01-01").unwrap() < Day::parse("1969-12-31").unwrap());
        for text in [
            "2024-1-15",
            "+2024-01-15",
            " 2024-01-15",
            "2024-01-15T00:00:00Z",
            "2023-02-29",
            "15-01-2024",
            "0000-12-31",
            "-001-12-31",
            "",
        ] {
            assert!(Day::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_refused() {
        for text in [
            "2024-01-15",
            "2024-01-15T10:30:00",
            "yesterday",
            "",
            "2024-13-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "9999-12-31T23:59:60Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }
}
