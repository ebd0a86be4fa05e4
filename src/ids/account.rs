//! The tenant's id.

use std::fmt;

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Integer;
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use super::{Id, push_digits};
use crate::db::columns::stored_as_number;
use crate::parse::{Complaint, Parse};

/// The tenant: `acct_` and six digits in base 36, of a random number below 2³¹.
///
/// It is the first column of every key, so it is kept as that number: four bytes, where the text of another id takes
/// twenty-five (docs/decisions/0019). It is a name and no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Integer)]
#[schema(value_type = String, example = "acct_123abc")]
pub struct AccountId(i32);

stored_as_number!(AccountId, i32, Integer);

/// How many digits there are.
const DIGITS: usize = 6;

impl AccountId {
    /// A new id. Each account that is there already has it with a chance of one in two thousand million.
    pub fn random() -> Self {
        Self(rand::rng().random_range(0..=i32::MAX))
    }

    /// The id as text.
    pub fn text(self) -> CompactString {
        let mut text = CompactString::const_new("acct_");
        push_digits::<DIGITS>(&mut text, self.0.unsigned_abs().into());
        text
    }

    /// The id as the databases keep it.
    pub fn number(self) -> i32 {
        self.0
    }
}

impl Id for AccountId {
    const PREFIX: &'static str = "acct";
    const NOUN: &'static str = "Account";

    fn from_outside(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("acct_")?;
        let known = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        (digits.len() == DIGITS && digits.bytes().all(known))
            .then(|| i32::from_str_radix(digits, 36).ok())
            .flatten()
            .map(Self)
    }
}

/// Text that no id looks like is an id that nothing has.
impl Parse for AccountId {
    fn parse(text: &str) -> Result<Self, Complaint> {
        Self::from_outside(text).ok_or(Complaint::NoSuch(Self::NOUN))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CompactString::deserialize(deserializer)?;
        Self::from_outside(&text).ok_or_else(|| de::Error::custom("no account is called that"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_its_six_digits() {
        for (number, text) in [
            (0, "acct_000000"),
            (63_978_744, "acct_123abc"),
            (i32::MAX, "acct_zik0zj"),
        ] {
            assert_eq!(AccountId(number).text(), text);
            assert_eq!(AccountId::from_outside(text), Some(AccountId(number)));
        }
        let made = AccountId::random();
        assert_eq!(AccountId::from_outside(&made.to_string()), Some(made));
    }

    #[test]
    fn nothing_else_is_an_account() {
        for text in [
            "",
            "acct_",
            "123abc",
            "acct_123ab",
            "acct_0123abc",
            "acct_123ABC",
            "acct_+23abc",
            "acct_zik0zk",
            "ref_123abc",
        ] {
            assert_eq!(AccountId::from_outside(text), None, "{text:?}");
        }
    }
}
