//! A coupon, its code, and what codes begin with.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use nanoid::nanoid;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::columns::{stored_as_text, text_enum};
use crate::db::schema::coupons;
use crate::ids::{AccountId, ConversionId, ReferralId, Wanted};
use crate::parse::{Complaint, Parse};

/// No letter or digit that looks like another.
const CODE_ALPHABET: [char; 31] = [
    '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L',
    'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y',
];
/// 31^12 ≈ 2^59 codes behind each prefix.
const CODE_LENGTH: usize = 12;
const LONGEST_PREFIX: usize = 20;

/// What codes begin with: up to 20 capital letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, max_length = 20, pattern = "^[A-Z0-9_-]*$", example = "JOY-")]
pub struct CouponPrefix(CompactString);

stored_as_text!(CouponPrefix);

impl CouponPrefix {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

impl Default for CouponPrefix {
    fn default() -> Self {
        Self(CompactString::const_new("JOY-"))
    }
}

impl Parse for CouponPrefix {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let text = capitals(text);
        match text.len() <= LONGEST_PREFIX && is_plain(&text) {
            true => Ok(Self(text)),
            false => Err(Complaint::new(
                "invalid_coupon_prefix",
                "must be at most 20 letters, digits, hyphens and underscores",
            )),
        }
    }
}

/// What somebody types to use a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, max_length = 64, example = "JOY-4XN8Q2WD7KTL")]
pub struct CouponCode(CompactString);

stored_as_text!(CouponCode);

impl CouponCode {
    /// A new code at random.
    pub fn random(prefix: &CouponPrefix) -> Self {
        let code = nanoid!(CODE_LENGTH, &CODE_ALPHABET);
        Self([prefix.as_str(), &code].concat().into())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

impl Parse for CouponCode {
    /// In either case.
    fn parse(text: &str) -> Result<Self, Complaint> {
        let text = capitals(text);
        match (1..=64).contains(&text.len()) && is_plain(&text) {
            true => Ok(Self(text)),
            false => Err(Complaint::new("unknown_coupon", "is no coupon of yours")),
        }
    }
}

fn capitals(text: &str) -> CompactString {
    text.trim().to_ascii_uppercase().into()
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

text_enum! {
    /// What a coupon is good for.
    pub enum CouponStatus {
        /// It can be used.
        Active = "active",
        /// Something was bought with it.
        Used = "used",
        /// Its time is over.
        Expired = "expired",
    }
}

/// A code for a customer who was brought by another.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = coupons, treat_none_as_default_value = false)]
pub struct Coupon {
    /// Whose it is.
    pub account_id: AccountId,
    /// What is typed.
    pub code: CouponCode,
    /// The introduction that it was given for.
    pub referral_id: ReferralId,
    /// When its time is over.
    pub expires_at: Option<Timestamp>,
    /// What was bought with it.
    pub conversion_id: Option<ConversionId>,
    /// When that was reported.
    pub used_at: Option<Timestamp>,
    /// When it was given.
    pub created_at: Timestamp,
}

impl Coupon {
    /// Whether it is good for anything at `at`.
    pub fn status(&self, at: Timestamp) -> CouponStatus {
        match (self.used_at, self.expires_at) {
            (Some(_), _) => CouponStatus::Used,
            (None, Some(end)) if end <= at => CouponStatus::Expired,
            _ => CouponStatus::Active,
        }
    }
}

/// Which coupons.
#[derive(Debug, Clone)]
pub struct CouponFilter {
    /// Only this referral's.
    pub referral_id: Option<Wanted<ReferralId>>,
}
