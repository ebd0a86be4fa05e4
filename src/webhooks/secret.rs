//! The secret that an endpoint shares with us: as it signs, and as it is kept.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use rand::Rng;

use crate::db::columns::stored_as_text;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::ids::AccountId;
use crate::parse::Complaint;

/// `whsec_` and 32 random bytes in base64. It is not shown when something is printed, so it cannot end up in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// A new one.
    pub fn random() -> Self {
        let mut bytes = [0_u8; 32];
        rand::rng().fill(&mut bytes[..]);
        Self(format!("whsec_{}", BASE64_STANDARD.encode(bytes)))
    }

    /// One that somebody else made.
    #[cfg(test)]
    pub(super) fn known(text: &str) -> Self {
        Self(text.into())
    }

    /// For the one time it is shown, and for signing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret as it stands in the database: encrypted, if the settings have a key.
#[derive(Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct KeptSecret(CompactString);

impl KeptSecret {
    /// `secret`, as it is kept for this account.
    ///
    /// # Errors
    /// It cannot be encrypted.
    pub fn seal(
        secret: &SigningSecret,
        keys: &EncryptionKeys,
        account: &AccountId,
    ) -> Result<Self, Error> {
        Ok(Self(keys.seal(secret.as_str(), &account.text())?.into()))
    }

    /// What is kept.
    ///
    /// # Errors
    /// It was encrypted with a key that is not here.
    pub fn open(&self, keys: &EncryptionKeys, account: &AccountId) -> Result<SigningSecret, Error> {
        Ok(SigningSecret(keys.open(&self.0, &account.text())?))
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

stored_as_text!(KeptSecret);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(hidden)")
    }
}

impl fmt::Debug for KeptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptSecret(hidden)")
    }
}
