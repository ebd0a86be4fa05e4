//! Amounts, currencies, rates. Money is whole minor units (cents) from the wire to the disk and back.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::{BigInt, Text};
use rusty_money::iso;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::db::columns::{stored_as_number, stored_as_text};
use crate::parse::{Complaint, Parse};

/// The largest amount: 999,999,999.99 in a currency of two decimals.
pub const MAX_CENTS: i64 = 99_999_999_999;

/// A whole number of a currency's minor units (cents of a dollar, yen, fils), 0 to 99,999,999,999.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    AsExpression,
    FromSqlRow,
    ToSchema,
)]
#[diesel(sql_type = BigInt)]
#[schema(value_type = i64, minimum = 0, maximum = 99_999_999_999_i64, example = 550)]
pub struct Cents(i64);

stored_as_number!(Cents);

impl Cents {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// An amount that pays somebody something: above zero.
    pub fn positive(number: Option<f64>) -> Result<Self, Complaint> {
        Self::whole(
            number,
            1,
            "must be a whole number of minor units, 1 to 99999999999",
        )
    }

    /// A threshold: zero or above.
    pub fn not_negative(number: Option<f64>) -> Result<Self, Complaint> {
        Self::whole(
            number,
            0,
            "must be a whole number of minor units, 0 to 99999999999",
        )
    }

    /// JSON has one kind of number, so 1000 and 1000.0 are the same amount. Every whole number up to the
    /// maximum is exact in a double.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "both bounds lie far below 2^53"
    )]
    fn whole(number: Option<f64>, least: i64, rule: &str) -> Result<Self, Complaint> {
        match number {
            Some(n) if n.fract() == 0.0 && n >= least as f64 && n <= MAX_CENTS as f64 => {
                Ok(Self(n as i64))
            }
            _ => Err(Complaint::new("invalid_amount", rule)),
        }
    }
}

impl TryFrom<i64> for Cents {
    type Error = Complaint;

    fn try_from(units: i64) -> Result<Self, Complaint> {
        match units {
            0..=MAX_CENTS => Ok(Self(units)),
            _ => Err(Complaint::new("invalid_amount", "must be 0 to 99999999999")),
        }
    }
}

/// A rate in hundredths of a percent, 0 to 10,000. On the wire it is a percentage: `12.5` is 1,250.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = BigInt)]
#[schema(value_type = f64, minimum = 0, maximum = 100, multiple_of = 0.01, example = 10)]
pub struct BasisPoints(i64);

stored_as_number!(BasisPoints);

impl BasisPoints {
    /// No commission.
    pub const ZERO: Self = Self(0);

    /// A percentage with at most two decimals.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to lie between 0 and 10,000 first"
    )]
    pub fn from_percent(percent: Option<f64>) -> Result<Self, Complaint> {
        let complaint = || {
            Complaint::new(
                "invalid_rate",
                "must be a percentage from 0 to 100 with at most two decimals",
            )
        };
        let points = percent.ok_or_else(complaint)? * 100.0;
        let nearest = points.round();
        // 12.34 * 100.0 is not exactly 1234; a third decimal is further away than that.
        if !(0.0..=10_000.0).contains(&nearest) || (points - nearest).abs() > 1e-6 {
            return Err(complaint());
        }
        Ok(Self(nearest as i64))
    }
}

impl Serialize for BasisPoints {
    #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            serializer.serialize_i64(self.0 / 100)
        } else {
            serializer.serialize_f64(self.0 as f64 / 100.0)
        }
    }
}

/// An ISO 4217 code in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "USD")]
pub struct Currency(CompactString);

stored_as_text!(Currency);

impl Currency {
    /// US dollars, the documents' default.
    pub fn usd() -> Self {
        Self(CompactString::const_new("USD"))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

impl Parse for Currency {
    /// Upper or lower case; must be a code that ISO 4217 lists.
    fn parse(text: &str) -> Result<Self, Complaint> {
        let code = text.trim().to_ascii_uppercase();
        match iso::find(&code) {
            Some(_) => Ok(Self(code.into())),
            None => Err(Complaint::new(
                "unknown_currency",
                "must be an ISO 4217 currency code such as USD",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_and_bounded() {
        for good in [1.0, 1000.0, 1e3, 99_999_999_999.0] {
            assert!(Cents::positive(Some(good)).is_ok(), "{good}");
        }
        for bad in [0.0, -0.0, -1.0, 10.5, 1e11, 1e300, f64::INFINITY, f64::NAN] {
            assert!(Cents::positive(Some(bad)).is_err(), "{bad}");
        }
        assert!(Cents::positive(None).is_err());
        assert_eq!(Cents::not_negative(Some(0.0)).unwrap(), Cents::ZERO);
    }

    #[test]
    fn rates_come_back_as_they_were_sent() {
        for (sent, shown) in [
            (10.0, "10"),
            (12.5, "12.5"),
            (0.01, "0.01"),
            (33.33, "33.33"),
            (100.0, "100"),
            (0.0, "0"),
        ] {
            let rate = BasisPoints::from_percent(Some(sent)).unwrap();
            assert_eq!(serde_json::to_string(&rate).unwrap(), shown);
        }
        for bad in [-1.0, 100.01, 12.345, f64::NAN] {
            assert!(BasisPoints::from_percent(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn currencies_are_the_listed_ones() {
        assert_eq!(Currency::parse("eur").unwrap().as_str(), "EUR");
        for bad in ["", "US", "USDX", "ZZZ", "$", "U\0D"] {
            assert!(Currency::parse(bad).is_err(), "{bad}");
        }
    }
}
