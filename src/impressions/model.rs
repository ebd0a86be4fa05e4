//! An impression.

use diesel::dsl::auto_type;
use diesel::prelude::*;

use crate::bounds::belongs;
use crate::clock::Timestamp;
use crate::db::schema::{impressions, posters};
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, AmbassadorId, ImpressionId, PosterId, ProgramId, Wanted};
use crate::metadata::Metadata;
use crate::text::{IdempotencyKey, Line, Paragraph};

#[auto_type]
fn is_of_impression() -> _ {
    let of_account = posters::account_id.eq(impressions::account_id);
    of_account.and(posters::id.eq(impressions::poster_id))
}

/// The program of the impression's poster. Not a join: PostgreSQL would look through all posters for each impression as
/// long as it has no statistics.
#[auto_type]
pub(super) fn program_id() -> _ {
    let found = posters::table.filter(is_of_impression());
    let found = found.select(posters::program_id);
    found.single_value().assume_not_null()
}

/// The ambassador of the impression's poster.
#[auto_type]
pub(super) fn ambassador_id() -> _ {
    let found = posters::table.filter(is_of_impression());
    let found = found.select(posters::ambassador_id);
    found.single_value().assume_not_null()
}

/// One scan of one poster.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = impressions)]
pub struct Impression {
    /// Whose it is.
    pub account_id: AccountId,
    /// `imp_…`; sorts by `scanned_at`.
    pub id: ImpressionId,
    /// What was scanned.
    pub poster_id: PosterId,
    /// The poster's program. It stands with the poster.
    #[diesel(select_expression = program_id())]
    pub program_id: ProgramId,
    /// The poster's ambassador. It stands with the poster.
    #[diesel(select_expression = ambassador_id())]
    pub ambassador_id: AmbassadorId,
    /// When.
    pub scanned_at: Timestamp,
    /// What the phone called itself. Personal.
    pub user_agent: Option<Paragraph>,
    /// Where the phone was in the network. Personal.
    pub ip_address: Option<Line>,
    /// The caller's own; a scan at our own address leaves `device_type` and `referrer`.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
}

impl Keyed for Impression {
    const WHAT: &'static str = "impression";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

/// A scan that was seen elsewhere.
#[derive(Debug, Clone)]
pub struct NewImpression {
    /// What was scanned.
    pub poster_id: PosterId,
    /// When, if that is not now.
    pub scanned_at: Option<Timestamp>,
    /// What the phone called itself.
    pub user_agent: Option<Paragraph>,
    /// Where the phone was in the network.
    pub ip_address: Option<Line>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key.
    pub retry: Option<Retry>,
    /// Whether it is an event.
    pub is_event: bool,
}

/// Which impressions.
#[derive(Debug, Clone)]
pub struct ImpressionFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this poster's.
    pub poster_id: Option<Wanted<PosterId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
}

impl ImpressionFilter {
    /// Whether `row` is among those that are wanted.
    pub fn takes(&self, row: &Impression) -> bool {
        fn is<T: PartialEq>(wanted: Option<&Wanted<T>>, own: &T) -> bool {
            wanted.is_none_or(|wanted| wanted.0.as_ref() == Some(own))
        }
        is(self.program_id.as_ref(), &row.program_id)
            && is(self.poster_id.as_ref(), &row.poster_id)
            && is(self.ambassador_id.as_ref(), &row.ambassador_id)
    }
}

belongs!(Impression);
