//! An event's id.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AccountId, Id, could_be_an_id, push_digits, random};
use crate::db::columns::stored_as_text;
use crate::parse::{Complaint, Parse};

text_id!(
    /// Something that happened: `evt_`, the six digits of the account, and fourteen of the event's number among the
    /// account's events, all in base 36 (docs/decisions/0020). So it needs no column and no index of its own.
    EventId, "evt", "Event", "evt_0h5m8k00000000000016"
);

/// How many digits the number has: every number there can be fits.
const DIGITS: usize = 14;

impl EventId {
    /// The account's event with this number.
    pub fn at(account: AccountId, sequence: i64) -> Self {
        let mut id = Self::of_account(account);
        push_digits::<DIGITS>(&mut id, sequence.unsigned_abs());
        Self(id)
    }

    /// An id that no event will ever have, for what is sent though nothing has happened.
    pub fn of_no_event() -> Self {
        Self(random(Self::PREFIX))
    }

    /// The number, if this is the id of one of the account's events.
    pub fn sequence(&self, account: AccountId) -> Option<i64> {
        let digits = self.0.strip_prefix(Self::of_account(account).as_str())?;
        let known = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        (digits.len() == DIGITS && digits.bytes().all(known))
            .then(|| i64::from_str_radix(digits, 36).ok())
            .flatten()
    }

    /// What the ids of all of the account's events begin with.
    fn of_account(account: AccountId) -> CompactString {
        let mut text = CompactString::const_new("evt_");
        account.push_digits(&mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_id_is_its_account_and_its_number() {
        let account = AccountId::from_outside("acct_123abc").unwrap();
        let other = AccountId::from_outside("acct_123abd").unwrap();
        for (sequence, text) in [
            (1, "evt_123abc00000000000001"),
            (42, "evt_123abc00000000000016"),
            (i64::MAX, "evt_123abc01y2p0ij32e8e7"),
        ] {
            let id = EventId::at(account, sequence);
            assert_eq!(id.as_str(), text);
            assert_eq!(id.sequence(account), Some(sequence));
            assert_eq!(id.sequence(other), None);
        }
        assert!(EventId::at(account, 9) < EventId::at(account, 10));
        assert!(EventId::at(account, 35) < EventId::at(account, 36));
    }

    #[test]
    fn nothing_else_is_an_event_of_the_account() {
        let account = AccountId::from_outside("acct_123abc").unwrap();
        for text in [
            "evt_1",
            "evt_123abc0000000000001",
            "evt_123abc000000000000001",
            "evt_123abc+0000000000001",
            "evt_123abc0000000000000A",
            "evt_123abczzzzzzzzzzzzzz",
            "ref_123abc00000000000001",
        ] {
            let number = EventId::from_outside(text).and_then(|id| id.sequence(account));
            assert_eq!(number, None, "{text:?}");
        }
        assert_eq!(EventId::of_no_event().as_str().len(), "evt_".len() + 20);
    }
}
