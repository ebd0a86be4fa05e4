//! Amounts, currencies, rates. Money is whole minor units (cents) from the wire to the disk and back, and there is
//! one way to round it: [`share`].

use std::fmt;

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

/// `numerator / denominator` of an amount: **the one rounding rule**. Exact up to the last step, and then down to the
/// whole minor unit, so that parts never add up to more than the whole. Every commission is computed here and nowhere
/// else. The denominator is above zero; a share of nothing is nothing.
pub fn share(amount: i64, numerator: i64, denominator: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(numerator);
    let whole = exact
        .checked_div_euclid(i128::from(denominator))
        .unwrap_or(0);
    i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
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
        clippy::float_cmp,
        reason = "checked to lie between 0 and 10,000 first; two decimals are one double"
    )]
    pub fn from_percent(percent: Option<f64>) -> Result<Self, Complaint> {
        let complaint = || {
            Complaint::new(
                "invalid_rate",
                "must be a percentage from 0 to 100 with at most two decimals",
            )
        };
        let percent = percent.ok_or_else(complaint)?;
        // 12.34 * 100.0 is not exactly 1234, but 1234 / 100.0 is exactly the double that 12.34 is read as.
        let nearest = (percent * 100.0).round();
        if !(0.0..=10_000.0).contains(&nearest) || nearest / 100.0 != percent {
            return Err(complaint());
        }
        Ok(Self(nearest as i64))
    }

    /// A whole number of hundredths of a percent, as rules have it: 1000 and 1000.0 are the same rate.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to lie between 0 and 10,000 first"
    )]
    pub fn whole(number: Option<f64>) -> Result<Self, Complaint> {
        match number {
            Some(n) if n > 10_000.0 => Err(Complaint::new(
                "pays_more_than_order",
                "must be at most 10000, which is 100%: more would pay more than the order",
            )),
            Some(n) if n.fract() == 0.0 && n >= 0.0 => Ok(Self(n as i64)),
            _ => Err(Complaint::new(
                "invalid_rate",
                "must be a whole number of hundredths of a percent, 0 to 10000",
            )),
        }
    }

    /// Hundredths of a percent.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// As a person writes it: `12.5%`.
impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (percent, 0) => write!(f, "{percent}%"),
            (percent, part) if part % 10 == 0 => write!(f, "{percent}.{}%", part / 10),
            (percent, part) => write!(f, "{percent}.{part:02}%"),
        }
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

    /// Points: the unit of rewards that are no money. ISO 4217 has no such code, so nothing that comes from outside can
    /// be in it, and it is never mixed with money.
    pub fn points() -> Self {
        Self(CompactString::const_new("PTS"))
    }

    /// Whether these are points, which are never paid out.
    pub fn is_points(&self) -> bool {
        *self == Self::points()
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many decimals it has, as ISO 4217 says: 2 for dollars, 0 for yen, 3 for Kuwaiti dinars.
    pub fn exponent(&self) -> usize {
        match self.as_str() {
            // The crate has what is in circulation: no fillér, and fifths of the ariary and the ouguiya.
            "HUF" | "MGA" | "MRU" => 2,
            code => {
                let exponent = iso::find(code).map_or(0, |currency| currency.exponent);
                usize::try_from(exponent).unwrap_or(0)
            }
        }
    }

    /// So many minor units as a decimal number of the currency: `12.50`, `500`.
    pub fn decimal(&self, units: i64) -> String {
        let decimals = self.exponent();
        let sign = if units < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", units.unsigned_abs(), width = decimals + 1);
        match digits.split_at(digits.len() - decimals) {
            (whole, "") => format!("{sign}{whole}"),
            (whole, part) => format!("{sign}{whole}.{part}"),
        }
    }

    /// So many minor units as a person writes them: `12.50 USD`, `500 JPY`.
    pub fn written(&self, units: i64) -> String {
        format!("{} {}", self.decimal(units), self.0)
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

impl Parse for Currency {
    /// Upper or lower case; must be a code that ISO 4217 lists for something that can be owed.
    fn parse(text: &str) -> Result<Self, Complaint> {
        let code = text.trim().to_ascii_uppercase();
        match iso::find(&code) {
            Some(_) if !NO_MONEY.contains(&&*code) => Ok(Self(code.into())),
            _ => Err(unknown_currency()),
        }
    }
}

/// Codes that the crate knows and nobody can be paid in: no currency, testing, and what was withdrawn before 2025. Of what
/// was withdrawn later (ANG, BGN) orders may still be given back.
const NO_MONEY: [&str; 11] = [
    "XXX", "XTS", "BYR", "CUC", "HRK", "ROL", "SKK", "SLL", "STD", "ZMK", "ZWL",
];

/// There is no such currency, or it is none that can be asked for here.
pub fn unknown_currency() -> Complaint {
    Complaint::new(
        "unknown_currency",
        "must be an ISO 4217 currency code such as USD",
    )
}

/// What something is counted in that is there already: a currency, or points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit(pub Currency);

impl Parse for Unit {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let points = Currency::points();
        match text.trim().eq_ignore_ascii_case(points.as_str()) {
            true => Ok(Self(points)),
            false => Currency::parse(text).map(Self),
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
        for points in 0..=10_000 {
            let percent: f64 = format!("{}.{:02}", points / 100, points % 100)
                .parse()
                .unwrap();
            assert_eq!(
                BasisPoints::from_percent(Some(percent)).unwrap().get(),
                points
            );
        }
        for bad in [-1.0, -1e-9, 100.01, 12.345, 12.340_000_001, 1e-9, f64::NAN] {
            assert!(BasisPoints::from_percent(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_share_is_exact_and_then_rounded_down() {
        assert_eq!(share(999, 1000, 10_000), 99);
        assert_eq!(share(-1, 1, 2), -1);
        assert_eq!(share(i64::MAX, i64::MAX, i64::MAX), i64::MAX);
        assert_eq!(share(i64::MAX, i64::MAX, 1), i64::MAX);
        assert_eq!(share(1, 1, 0), 0);
    }

    #[test]
    fn rates_and_amounts_are_written_for_people() {
        for (points, written) in [
            (0.0, "0%"),
            (5.0, "0.05%"),
            (1250.0, "12.5%"),
            (1e4, "100%"),
        ] {
            assert_eq!(
                BasisPoints::whole(Some(points)).unwrap().to_string(),
                written
            );
        }
        for (code, units, written) in [
            ("USD", 5, "0.05 USD"),
            ("USD", -1250, "-12.50 USD"),
            ("JPY", 500, "500 JPY"),
            ("KWD", 1, "0.001 KWD"),
        ] {
            assert_eq!(Currency::parse(code).unwrap().written(units), written);
        }
    }

    #[test]
    fn currencies_are_the_listed_ones() {
        assert_eq!(Currency::parse("eur").unwrap().as_str(), "EUR");
        for bad in ["", "US", "USDX", "ZZZ", "$", "U\0D"]
            .iter()
            .chain(&NO_MONEY)
        {
            assert_eq!(
                Currency::parse(bad).unwrap_err(),
                unknown_currency(),
                "{bad}"
            );
        }
    }

    /// The list of ISO 4217, with its minor units.
    const LISTED: [(usize, &str); 5] = [
        (
            0,
            "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        ),
        (
            2,
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF \
             CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
             HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU \
             MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR \
             SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED \
             VES WST XAD XCD XCG YER ZAR ZMW ZWG",
        ),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
        // Withdrawn a short while ago.
        (2, "ANG BGN"),
    ];

    #[test]
    fn every_currency_has_the_decimals_that_iso_4217_says() {
        let mut listed = 0;
        for (decimals, codes) in LISTED {
            for code in codes.split_whitespace() {
                assert_eq!(
                    Currency::parse(code).unwrap().exponent(),
                    decimals,
                    "{code}"
                );
                listed += 1;
            }
        }
        // What is left is counted in wholes: metals, and units of account that have no minor one.
        let whole = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XUA";
        for code in whole.split_whitespace() {
            assert_eq!(Currency::parse(code).unwrap().exponent(), 0, "{code}");
            listed += 1;
        }
        let letters = || (b'A'..=b'Z').map(char::from);
        let taken = letters()
            .flat_map(|a| letters().map(move |b| (a, b)))
            .flat_map(|(a, b)| letters().map(move |c| String::from_iter([a, b, c])))
            .filter(|code| Currency::parse(code).is_ok());
        assert_eq!(taken.count(), listed, "the crate knows others");
    }
}
