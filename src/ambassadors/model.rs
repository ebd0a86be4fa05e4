//! An ambassador.

use diesel::prelude::*;

use crate::bounds::Belongs;
use crate::clock::Timestamp;
use crate::db::schema::ambassadors;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, AmbassadorId, ProgramId, Wanted};
use crate::metadata::{Metadata, MetadataChange};
use crate::text::{EmailAddress, IdempotencyKey, Name, WebUrl};

/// Somebody who promotes one program.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = ambassadors, treat_none_as_default_value = false)]
pub struct Ambassador {
    /// Whose ambassador.
    pub account_id: AccountId,
    /// `user_…`
    pub id: AmbassadorId,
    /// The program promoted; for good.
    pub program_id: ProgramId,
    /// Personal.
    pub first_name: Name,
    /// Personal.
    pub last_name: Name,
    /// Personal. Two ambassadors may share one.
    pub email: EmailAddress,
    /// Where a picture is. It is never fetched.
    pub profile_picture: Option<WebUrl>,
    /// The caller's own.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When the ambassador enrolled.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl Keyed for Ambassador {
    const WHAT: &'static str = "user";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

/// What a new ambassador is made of.
#[derive(Debug, Clone)]
pub struct NewAmbassador {
    /// The program to promote.
    pub program_id: ProgramId,
    /// Personal.
    pub first_name: Name,
    /// Personal.
    pub last_name: Name,
    /// Personal.
    pub email: EmailAddress,
    /// Where a picture is.
    pub profile_picture: Option<WebUrl>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key.
    pub retry: Option<Retry>,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone)]
pub struct AmbassadorChanges {
    /// A new first name.
    pub first_name: Option<Name>,
    /// A new last name.
    pub last_name: Option<Name>,
    /// A new address.
    pub email: Option<EmailAddress>,
    /// A new picture, or none.
    pub profile_picture: Option<Option<WebUrl>>,
    /// Metadata to merge or to put in place.
    pub metadata: Option<MetadataChange>,
}

/// Which ambassadors.
#[derive(Debug, Clone)]
pub struct AmbassadorFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this one.
    pub id: Option<Wanted<AmbassadorId>>,
}

impl Belongs for Ambassador {
    fn program(&self) -> &ProgramId {
        &self.program_id
    }

    fn ambassador(&self) -> Option<&AmbassadorId> {
        Some(&self.id)
    }
}
