//! One contract for every create: a key makes a retry the same write.
//!
//! The key stands in the row it made, under a unique index (account, key), so the two cannot part. Beside
//! it stands a fingerprint of what must be the same for a request to be a retry and not another one.

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::text::IdempotencyKey;

/// What became of a create.
#[derive(Debug)]
pub enum Recorded<T> {
    /// This request made it.
    New(T),
    /// An earlier request with the same key made it; this is how it looks now.
    Replayed(T),
}

/// The caller's key for a create, and what has to be the same when it comes again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The key.
    pub key: IdempotencyKey,
    /// See [`fingerprint`].
    pub fingerprint: String,
}

/// What a retry must have in common with the first request, as 32 hexadecimal digits.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps ("ab", "c") apart from ("a", "bc").
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let pairs = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    pairs.collect()
}

/// The refusal of a key that was used for something else.
pub fn reused(what: &str) -> Error {
    Error::Conflict {
        code: "idempotency_key_reused",
        message: format!(
            "This idempotency_key was already used for another {what}; nothing was changed"
        ),
    }
}

impl Retry {
    /// The column `idempotency_key`.
    pub fn key(retry: Option<&Self>) -> Option<IdempotencyKey> {
        retry.map(|retry| retry.key.clone())
    }

    /// The column `idempotency_fingerprint`.
    pub fn fingerprint(retry: Option<&Self>) -> Option<String> {
        retry.map(|retry| retry.fingerprint.clone())
    }
}

/// What the key of `retry` has made already, if it has made anything.
///
/// # Errors
/// [`Error::Conflict`] if what it made (`what`, for the message) was asked for differently.
pub fn replay<T>(
    found: Option<T>,
    retry: &Retry,
    what: &str,
    kept: impl Fn(&T) -> Option<&str>,
) -> Result<Option<Recorded<T>>, Error> {
    match found {
        None => Ok(None),
        Some(row) if kept(&row) == Some(&*retry.fingerprint) => Ok(Some(Recorded::Replayed(row))),
        Some(_) => Err(reused(what)),
    }
}
