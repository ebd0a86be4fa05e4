//! What an event's id is made of.

use compact_str::CompactString;

use super::{EventId, Tail, push_digits};
use crate::clock::Timestamp;

/// How many digits, in base 36, the number has.
const DIGITS: usize = 10;

impl EventId {
    /// The id of an account's event with this number, of this moment.
    pub fn numbered(at: Timestamp, sequence: i64) -> Self {
        let mut tail = CompactString::default();
        push_digits::<DIGITS>(&mut tail, sequence.unsigned_abs());
        Self::with_tail(at, &Tail(tail))
    }

    /// The number that the event has whose id this is, if there is one.
    pub fn sequence(&self) -> Option<i64> {
        let digits = self.0.len().checked_sub(DIGITS)?;
        i64::from_str_radix(self.0.get(digits..)?, 36).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;

    #[test]
    fn an_events_id_is_its_moment_and_its_number() {
        let at = Timestamp::from_micros(1_705_314_600_000_000);
        for (sequence, text) in [
            (1, "evt_gshepmx6o00000000001"),
            (42, "evt_gshepmx6o00000000016"),
        ] {
            let id = EventId::numbered(at, sequence);
            assert_eq!(id.as_str(), text);
            assert_eq!(id.sequence(), Some(sequence));
        }
        assert!(EventId::numbered(at, 35) < EventId::numbered(at, 36));
    }

    #[test]
    fn in_other_texts_there_may_be_no_number() {
        for text in ["1", "evt_1", "evt_undefined", "evt_gshepmx6o_undefined"] {
            let id = EventId::from_outside(text).unwrap();
            assert_eq!(id.sequence(), None, "{text:?}");
        }
    }
}
