//! One contract for every create: a key makes a retry the same write.
//!
//! The key stands in the row it made, under a unique index (account, key), so the two cannot part. Beside
//! it stands a fingerprint of what must be the same for a request to be a retry and not another one.

use sha2::{Digest, Sha256};

use crate::db::DbConnection;
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

/// Stands where a fingerprint stood of somebody who was erased: it would lead back to the person. The key goes on making
/// nothing new, whatever else it comes with.
pub const ERASED: &str = "erased";

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
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
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

/// A row that remembers the key that made it.
pub trait Keyed {
    /// What one key makes once, for the message.
    const WHAT: &'static str;

    /// The column `idempotency_fingerprint`.
    fn kept_fingerprint(&self) -> Option<&str>;

    /// Whether a request with `fingerprint` asks for this row again.
    fn is_asked_for_by(&self, fingerprint: &str) -> bool {
        matches!(self.kept_fingerprint(), Some(kept) if kept == fingerprint || kept == ERASED)
    }
}

/// What the key of `retry` made before is `row`: the answer, if it was for the same.
///
/// # Errors
/// [`Error::Conflict`] if it was for something else.
pub fn replay<T: Keyed>(row: T, retry: &Retry) -> Result<Recorded<T>, Error> {
    match row.is_asked_for_by(&retry.fingerprint) {
        true => Ok(Recorded::Replayed(row)),
        false => Err(reused(T::WHAT)),
    }
}

/// Makes something once: `find` looks for what the key made before, `make` makes it or finds that somebody
/// with the same key was faster (`None`).
///
/// # Errors
/// [`Error::Conflict`] if the key made something else; what `find` and `make` fail with.
pub fn once<T: Keyed>(
    conn: &mut DbConnection,
    retry: Option<&Retry>,
    find: impl Fn(&mut DbConnection, &IdempotencyKey) -> Result<Option<T>, Error>,
    make: impl FnOnce(&mut DbConnection) -> Result<Option<T>, Error>,
) -> Result<Recorded<T>, Error> {
    let earlier = |conn: &mut DbConnection| match retry {
        None => Ok(None),
        Some(retry) => find(conn, &retry.key)?
            .map(|row| replay(row, retry))
            .transpose(),
    };
    if let Some(replayed) = earlier(conn)? {
        return Ok(replayed);
    }
    if let Some(row) = make(conn)? {
        return Ok(Recorded::New(row));
    }
    // A twin was faster, and has committed by now.
    earlier(conn)?.ok_or_else(|| Error::internal("what was there a moment ago is gone"))
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
