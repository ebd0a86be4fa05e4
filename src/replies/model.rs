//! A reply.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::replies;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::idempotency::ERASED;
use crate::ids::AccountId;
use crate::text::IdempotencyKey;

/// What a caller was answered.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = replies, treat_none_as_default_value = false)]
pub struct Reply {
    /// To whom.
    pub account_id: AccountId,
    /// What was asked for.
    pub operation: String,
    /// Under which key.
    pub key: IdempotencyKey,
    /// What it must be repeated with.
    pub fingerprint: String,
    /// The HTTP status.
    pub status: i64,
    /// The JSON text, as it is kept.
    pub body: String,
    /// When.
    pub created_at: Timestamp,
}

/// A request that its caller may repeat.
#[derive(Debug, Clone)]
pub struct Repeatable {
    /// Whose.
    pub account_id: AccountId,
    /// What is asked for.
    pub operation: &'static str,
    /// Under which key.
    pub key: IdempotencyKey,
    /// What it must be repeated with.
    pub fingerprint: String,
}

/// A status and a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// The JSON text.
    pub body: String,
}

impl Reply {
    /// Whether the request that it was an answer to was this one. After an erasure nobody can tell any more.
    pub fn is_to(&self, request: &Repeatable) -> bool {
        self.fingerprint == request.fingerprint || self.fingerprint == ERASED
    }

    /// What was said.
    ///
    /// # Errors
    /// It was encrypted with a key that is not here.
    pub fn said(&self, keys: &EncryptionKeys) -> Result<Said, Error> {
        Ok(Said {
            status: u16::try_from(self.status).unwrap_or(200),
            body: keys.open(&self.body, &self.account_id.text())?,
        })
    }
}
