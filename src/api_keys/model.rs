//! An API key's record, and the secret it stands for.

use diesel::prelude::*;
use nanoid::nanoid;
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::db::schema::api_keys;
use crate::idempotency::hex;
use crate::ids::{AccountId, ApiKeyId};
use crate::text::Name;

const ALPHABET: [char; 62] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I',
    'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b',
    'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z',
];

/// What is stored of a key.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct ApiKey {
    /// `key_…`; names the key without opening anything.
    pub id: ApiKeyId,
    /// Whose rows it opens.
    pub account_id: AccountId,
    /// What it is for, in the owner's words.
    pub name: Name,
    /// SHA-256 of the secret, in hexadecimal.
    pub hash: String,
    /// The secret's last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped working.
    pub revoked_at: Option<Timestamp>,
}

/// The secret itself, `sk_…`. It has no `Debug`, so it cannot end up in a log.
pub struct Secret(String);

impl Secret {
    /// A new one: 40 letters and digits, 238 random bits.
    pub fn random() -> Self {
        Self(format!("sk_{}", nanoid!(40, &ALPHABET)))
    }

    /// A secret that somebody presented, or that the documents fix for the demo.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// For the one time it is shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What it is stored and looked up as.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// The last four characters.
    pub fn hint(&self) -> String {
        let skipped = self.0.chars().count().saturating_sub(4);
        self.0.chars().skip(skipped).collect()
    }
}
