//! A referral, its statuses, and the one table of how they move.

use diesel::prelude::*;

use crate::bounds::belongs;
use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::{referral_moves, referrals};
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, ImpressionId, ProgramId, ReferralId, Wanted};
use crate::metadata::{Metadata, MetadataChange};
use crate::text::{EmailAddress, ExternalId, IdempotencyKey, Name, Paragraph, WebUrl};

text_enum! {
    /// Where a signup stands.
    pub enum ReferralStatus {
        /// Somebody signed up; nothing more yet.
        Pending = "pending",
        /// The person bought something or subscribed.
        Converted = "converted",
        /// An administrator has checked the signup.
        Verified = "verified",
        /// It does not count.
        Rejected = "rejected",
    }
}

impl ReferralStatus {
    /// Where this status can move. The migrations say the same to the database.
    pub const fn moves(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Converted, Self::Verified, Self::Rejected],
            Self::Converted => &[Self::Verified, Self::Rejected],
            Self::Verified => &[Self::Converted, Self::Rejected],
            // A rejection taken back: the signup is looked at afresh.
            Self::Rejected => &[Self::Pending],
        }
    }
}

/// One signup.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = referrals, treat_none_as_default_value = false)]
pub struct Referral {
    /// Whose it is.
    pub account_id: AccountId,
    /// `ref_…`
    pub id: ReferralId,
    /// The scan that led to it.
    pub impression_id: ImpressionId,
    /// The impression's program.
    pub program_id: ProgramId,
    /// The impression's ambassador.
    pub ambassador_id: AmbassadorId,
    /// Personal.
    pub first_name: Name,
    /// Personal.
    pub last_name: Name,
    /// Personal. Two referrals may share one.
    pub email: EmailAddress,
    /// The address in lower case, as it is looked for.
    pub email_folded: String,
    /// Where a picture is. It is never fetched.
    pub profile_picture: Option<WebUrl>,
    /// The company's own name for the person.
    pub external_id: Option<ExternalId>,
    /// Where it stands.
    pub status: ReferralStatus,
    /// When it was verified; kept when it moves on, emptied when a rejection is taken back.
    pub verified_at: Option<Timestamp>,
    /// The caller's own.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When the signup was recorded.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl Referral {
    /// Whether nobody is known here any more: an erased signup is looked up by nothing but the id.
    pub fn is_erased(&self) -> bool {
        self.email_folded.is_empty()
    }
}

impl Keyed for Referral {
    const WHAT: &'static str = "person or impression";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

/// What a new referral is made of.
#[derive(Debug, Clone)]
pub struct NewReferral {
    /// The scan that led to it.
    pub impression_id: ImpressionId,
    /// Personal.
    pub first_name: Name,
    /// Personal.
    pub last_name: Name,
    /// Personal.
    pub email: EmailAddress,
    /// Where a picture is.
    pub profile_picture: Option<WebUrl>,
    /// The company's own name for the person.
    pub external_id: Option<ExternalId>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key.
    pub retry: Option<Retry>,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ReferralChanges {
    /// A new first name.
    pub first_name: Option<Name>,
    /// A new last name.
    pub last_name: Option<Name>,
    /// A new address.
    pub email: Option<EmailAddress>,
    /// A new picture, or none.
    pub profile_picture: Option<Option<WebUrl>>,
    /// Another name for the person, or none.
    pub external_id: Option<Option<ExternalId>>,
    /// Where it is to move.
    pub status: Option<ReferralStatus>,
    /// When it was verified, if that is not now.
    pub verified_at: Option<Timestamp>,
    /// Metadata to merge or to put in place.
    pub metadata: Option<MetadataChange>,
    /// Why; kept with the move.
    pub note: Option<Paragraph>,
}

/// Which referrals.
#[derive(Debug, Clone)]
pub struct ReferralFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only those that stand there.
    pub status: Option<ReferralStatus>,
}

/// One move of a status.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = referral_moves, treat_none_as_default_value = false)]
pub struct ReferralMove {
    /// Whose it is.
    pub account_id: AccountId,
    /// What moved.
    pub referral_id: ReferralId,
    /// 1, 2, 3 … within the referral.
    pub position: i64,
    /// From where.
    pub from_status: ReferralStatus,
    /// To where.
    pub to_status: ReferralStatus,
    /// When.
    pub moved_at: Timestamp,
    /// With which key.
    pub moved_by: ApiKeyId,
    /// Why.
    pub note: Option<Paragraph>,
}

belongs!(Referral);
