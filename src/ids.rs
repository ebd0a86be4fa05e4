//! The ids: a prefix that says what it is, an underscore, and 20 characters that sort by time.
//!
//! The first ten characters are the microsecond of the row's own moment in base 36 (they last until
//! 2085), the other ten are random, but those of an event,
//! which are its number. So `ORDER BY id` *is* "oldest first", one index serves a filter and
//! its order, and a cursor is nothing but an id. Clients treat ids as opaque. Only an account's is short, because it
//! stands in front of every key: [`AccountId`].

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use rand::Rng;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::columns::stored_as_text;
use crate::parse::{Complaint, Parse};

mod account;
mod event;

pub use account::AccountId;

const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// What every id type can do; lets extractors and filters be written once.
pub trait Id: Sized {
    /// The letters before the underscore.
    const PREFIX: &'static str;
    /// What it names, as a person would say it: "Referral".
    const NOUN: &'static str;

    /// An id from text that came from outside, or `None` if no id ever looks like that.
    fn from_outside(text: &str) -> Option<Self>;
}

/// 20 characters that sort by `at`, unguessable in the second half.
fn time_ordered(prefix: &str, at: Timestamp, tail: &Tail) -> CompactString {
    let mut id = CompactString::with_capacity(prefix.len() + 21);
    id.push_str(prefix);
    id.push('_');
    push_digits::<10>(&mut id, at.micros().max(0).unsigned_abs());
    id.push_str(&tail.0);
    id
}

/// The last `LENGTH` digits of `number` in base 36.
fn push_digits<const LENGTH: usize>(text: &mut CompactString, mut number: u64) {
    let mut digits = [b'0'; LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 36) as usize];
        number /= 36;
    }
    text.push_str(str::from_utf8(&digits).unwrap_or_default());
}

/// `LENGTH` random characters, at most twelve: a random number in base 36, from the thread's own generator, which the
/// system seeds.
fn push_random<const LENGTH: usize>(text: &mut CompactString) {
    let end = (0..LENGTH).fold(1, |end, _| end * 36);
    let number = rand::rng().random_range(0..end);
    push_digits::<LENGTH>(text, number);
}

/// The random half of an id, for what must get the same id again if its write has to be made a second time.
#[derive(Debug, Clone)]
pub struct Tail(CompactString);

impl Tail {
    /// Ten random characters.
    pub fn random() -> Self {
        let mut tail = CompactString::default();
        push_random::<10>(&mut tail);
        Self(tail)
    }

    /// One that sorts as the `number`th of those that share a moment; only its second half is random.
    pub fn numbered(number: i64) -> Self {
        let mut tail = CompactString::default();
        push_digits::<5>(&mut tail, u64::try_from(number).unwrap_or_default());
        push_random::<5>(&mut tail);
        Self(tail)
    }
}

/// What sorts before every id with this prefix of something that happened at `at` or later, and after all others.
pub fn first_at(prefix: &str, at: Timestamp) -> String {
    time_ordered(prefix, at, &Tail(CompactString::default())).into_string()
}

/// The letters before the underscore of an id.
pub fn prefix(id: &str) -> &str {
    id.split('_').next().unwrap_or_default()
}

/// Whether any of our ids could look like this. Everything else names nothing, so it never reaches a query.
fn could_be_an_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// 20 random characters of the same alphabet, for things that have no row: `req_…`.
pub fn random(prefix: &str) -> CompactString {
    let mut id = CompactString::with_capacity(prefix.len() + 21);
    id.push_str(prefix);
    id.push('_');
    push_random::<10>(&mut id);
    push_random::<10>(&mut id);
    id
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $noun:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, AsExpression, FromSqlRow, ToSchema)]
        #[diesel(sql_type = Text)]
        #[schema(value_type = String, example = $example)]
        pub struct $name(CompactString);

        impl $name {
            /// A new id for something that happened at `at`.
            pub fn new(at: Timestamp) -> Self {
                Self::with_tail(at, &Tail::random())
            }

            /// The id that ends in `tail` of something that happened at `at`.
            pub fn with_tail(at: Timestamp, tail: &Tail) -> Self {
                Self(time_ordered($prefix, at, tail))
            }

            /// Sorts before every id of something that happened at `at` or later, and after all others.
            pub fn first_at(at: Timestamp) -> Self {
                Self(first_at($prefix, at).into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn from_stored(text: CompactString) -> Result<Self, Complaint> {
                Ok(Self(text))
            }
        }

        impl Id for $name {
            const PREFIX: &'static str = $prefix;
            const NOUN: &'static str = $noun;

            fn from_outside(text: &str) -> Option<Self> {
                could_be_an_id(text).then(|| Self(text.into()))
            }
        }

        /// Text that no id looks like is an id that nothing has.
        impl Parse for $name {
            fn parse(text: &str) -> Result<Self, Complaint> {
                Self::from_outside(text).ok_or(Complaint::NoSuch($noun))
            }
        }

        stored_as_text!($name);
    };
}

text_id!(
    /// An API key's record; not the secret.
    ApiKeyId, "key", "API key", "key_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// A program.
    ProgramId, "prog", "Program", "prog_123abc"
);
text_id!(
    /// An ambassador: `user` and `student_id` on the wire.
    AmbassadorId, "user", "User", "user_123abc"
);
text_id!(
    /// A poster.
    PosterId, "poster", "Poster", "poster_123abc"
);
text_id!(
    /// A scan.
    ImpressionId, "imp", "Impression", "imp_123abc"
);
text_id!(
    /// A signup.
    ReferralId, "ref", "Referral", "ref_123abc"
);
text_id!(
    /// A commission.
    EarningId, "earn", "Earning", "earn_123abc"
);
text_id!(
    /// A purchase of a referred person.
    ConversionId, "conv", "Conversion", "conv_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// Money given back of an order.
    RefundId, "refund", "Refund", "refund_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// A row of the ledger.
    TransferId, "tr", "Transfer", "tr_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// A run that pays out what is due.
    CollectionId, "coll", "Collection", "coll_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// Money on its way to one ambassador.
    PayoutId, "payout", "Payout", "payout_456def"
);

text_id!(
    /// A person the company knows.
    CustomerId, "cust", "Customer", "cust_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// Something that happened. The ten characters behind its moment are not random, but its number among the account's
    /// events (docs/decisions/0020).
    EventId, "evt", "Event", "evt_gskwtd4u8000000003mv"
);
text_id!(
    /// Something that was done by who runs a program.
    ActId, "act", "Act", "act_0h5m8k2q9sx7v3n1b6tz"
);
text_id!(
    /// Where events are sent.
    WebhookEndpointId, "whe", "Webhook endpoint", "whe_0h5m8k2q9sx7v3n1b6tz"
);

text_id!(
    /// Whatever has an id.
    ObjectId, "", "Object", "ref_123abc"
);

/// An id in a filter. One that names nothing is not an error, it matches nothing: a published sample
/// sends `programId=undefined`.
#[derive(Debug, Clone)]
pub struct Wanted<T>(pub Option<T>);

impl<T: Id> Parse for Wanted<T> {
    fn parse(text: &str) -> Result<Self, Complaint> {
        Ok(Self(T::from_outside(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let mut last = ReferralId::new(Timestamp::from_micros(0));
        for micros in [
            1,
            35,
            36,
            1_705_314_600_000_000,
            1_705_314_600_000_001,
            3_600_000_000_000_000,
        ] {
            let next = ReferralId::new(Timestamp::from_micros(micros));
            assert!(last < next, "{last:?} {next:?}");
            assert_eq!(next.as_str().len(), "ref_".len() + 20);
            last = next;
        }
    }

    #[test]
    fn text_that_no_id_looks_like_is_not_an_id() {
        for text in ["", "ref_\0", "ref_é", "ref_/x", " ref_1", &"a".repeat(65)] {
            assert_eq!(ReferralId::from_outside(text), None, "{text:?}");
        }
        assert!(ReferralId::from_outside("ref_123abc").is_some());
    }
}
