//! A poster, and the code on it.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use nanoid::nanoid;
use serde::Serialize;
use utoipa::ToSchema;

use crate::bounds::belongs;
use crate::clock::Timestamp;
use crate::db::columns::{stored_as_text, text_enum};
use crate::db::schema::posters;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, AmbassadorId, PosterId, ProgramId, Wanted};
use crate::metadata::{Metadata, MetadataChange};
use crate::parse::Complaint;
use crate::text::{IdempotencyKey, Line, WebUrl};

/// No letter or digit that looks like another (0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V) and no vowels, so that
/// no code spells a word.
const CODE_ALPHABET: [char; 18] = [
    '3', '4', '7', '9', 'C', 'D', 'F', 'H', 'J', 'K', 'M', 'N', 'P', 'Q', 'R', 'T', 'W', 'X',
];
/// 18^10 ≈ 2^41.7 codes.
const CODE_LENGTH: usize = 10;

text_enum! {
    /// Whether a poster's code leads anywhere.
    pub enum PosterStatus {
        /// A scan is recorded and redirected.
        Active = "active",
        /// A scan gets a page that says so. The code stays taken.
        Retired = "retired",
    }
}

/// The short code on a poster. Unique over all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = String, example = "K7QX4MPDCT")]
pub struct PosterCode(CompactString);

stored_as_text!(PosterCode);

impl PosterCode {
    /// A new code at random.
    pub fn random() -> Self {
        Self(nanoid!(CODE_LENGTH, &CODE_ALPHABET).into())
    }

    /// A code as a phone or a person sends it: in either case, perhaps in groups. `None`: no code looks like it.
    pub fn from_outside(text: &str) -> Option<Self> {
        let code: CompactString = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let plausible =
            (4..=32).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plausible.then_some(Self(code))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the QR code says, for a server reachable at `public_url`.
    pub fn scan_url(&self, public_url: &str) -> String {
        format!("{public_url}/q/{}", self.0)
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

/// One sheet of paper on one wall.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = posters, treat_none_as_default_value = false)]
pub struct Poster {
    /// Whose it is.
    pub account_id: AccountId,
    /// `poster_…`
    pub id: PosterId,
    /// The program it promotes: its ambassador's.
    pub program_id: ProgramId,
    /// Who hung it.
    pub ambassador_id: AmbassadorId,
    /// What is printed on it.
    pub code: PosterCode,
    /// Where it hangs.
    pub location: Option<Line>,
    /// Where its scans lead, if not where the program's lead.
    pub landing_url: Option<WebUrl>,
    /// Whether it leads anywhere.
    pub status: PosterStatus,
    /// The caller's own.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

impl Keyed for Poster {
    const WHAT: &'static str = "poster";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

/// What a new poster is made of.
#[derive(Debug, Clone)]
pub struct NewPoster {
    /// Codes to try in turn: one is enough unless it is taken.
    pub codes: [PosterCode; 3],
    /// Who hangs it.
    pub ambassador_id: AmbassadorId,
    /// If the caller names a program, it must be the ambassador's.
    pub program_id: Option<ProgramId>,
    /// Where it hangs.
    pub location: Option<Line>,
    /// Where its scans lead.
    pub landing_url: Option<WebUrl>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key.
    pub retry: Option<Retry>,
    /// What the poster's URLs begin with.
    pub public_url: String,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone)]
pub struct PosterChanges {
    /// A new place, or none.
    pub location: Option<Option<Line>>,
    /// A new destination, or the program's.
    pub landing_url: Option<Option<WebUrl>>,
    /// Retire it, or put it back up.
    pub status: Option<PosterStatus>,
    /// Metadata to merge or to put in place.
    pub metadata: Option<MetadataChange>,
    /// What the poster's URLs begin with.
    pub public_url: String,
}

/// Which posters.
#[derive(Debug, Clone)]
pub struct PosterFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only those that hang, or only retired ones.
    pub status: Option<PosterStatus>,
}

belongs!(Poster);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_can_be_typed_in_any_case_and_in_groups() {
        let code = PosterCode::from_outside("k7qx-4mpd-ct").unwrap();
        assert_eq!(code.as_str(), "K7QX4MPDCT");
        for bad in [
            "",
            "abc",
            "K7QX/4MPD",
            "K7QX\u{0}4MPD",
            "Ü7QX4MPD",
            &"K".repeat(33),
        ] {
            assert_eq!(PosterCode::from_outside(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn no_code_has_characters_that_look_alike() {
        for _ in 0..200 {
            let code = PosterCode::random();
            assert_eq!(code.as_str().len(), CODE_LENGTH);
            assert!(
                !code.as_str().contains(|c| "0O1IL2Z5S6G8BUVAEY".contains(c)),
                "{code:?}"
            );
            assert_eq!(PosterCode::from_outside(code.as_str()), Some(code));
        }
    }
}
