//! What is kept encrypted: secrets that have to be known again, unlike keys, of which a hash is enough. ChaCha20-Poly1305,
//! with a key that does not stand in the database.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rand::Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::idempotency::hex;

/// What encrypted text begins with.
const MARK: &str = "enc1";

/// The keys of the settings: the first encrypts, all decrypt. None: what is kept is kept as it is.
#[derive(Clone, Default)]
pub struct EncryptionKeys(Arc<[Key]>);

struct Key {
    /// Says which key it is, and nothing about it.
    name: String,
    key: LessSafeKey,
}

impl fmt::Debug for EncryptionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.name))
            .finish()
    }
}

impl EncryptionKeys {
    /// Reads keys with commas between them, each 32 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let keys: Option<Vec<Key>> = text.split(',').map(|key| Key::parse(key.trim())).collect();
        keys.map(|keys| Self(keys.into()))
    }

    /// `text` encrypted with the first key, if there is one. It can be read with the same `context` only.
    ///
    /// # Errors
    /// Never, as long as `text` is shorter than memory is large.
    pub fn seal(&self, text: &str, context: &str) -> Result<String, Error> {
        let Some(Key { name, key }) = self.0.first() else {
            return Ok(text.to_owned());
        };
        let mut nonce = [0_u8; NONCE_LEN];
        rand::rng().fill(&mut nonce[..]);
        let mut bytes = text.as_bytes().to_vec();
        let aad = Aad::from(context.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .map_err(|_| Error::internal("a secret cannot be encrypted"))?;
        let sealed = BASE64_STANDARD.encode([&nonce[..], &bytes].concat());
        Ok(format!("{MARK}:{name}:{sealed}"))
    }

    /// What was sealed, or `kept` itself if it never was.
    ///
    /// # Errors
    /// The key that sealed it is not here, or somebody has changed it.
    pub fn open(&self, kept: &str, context: &str) -> Result<String, Error> {
        let Some((name, sealed)) = parts(kept) else {
            return Ok(kept.to_owned());
        };
        let Some(Key { key, .. }) = self.0.iter().find(|key| key.name == name) else {
            return Err(Error::internal(format!(
                "a secret is encrypted with the key {name}, which HANDBILL_ENCRYPTION_KEYS does not have"
            )));
        };
        let broken = || Error::internal("an encrypted secret was changed, or belongs elsewhere");
        let mut bytes = BASE64_STANDARD.decode(sealed).map_err(|_| broken())?;
        if bytes.len() < NONCE_LEN {
            return Err(broken());
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| broken())?;
        let text = key
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| broken())?;
        String::from_utf8(text.to_vec()).map_err(|_| broken())
    }

    /// The name of the key that `kept` is encrypted with. `None`: it is as it is.
    pub fn name_of(kept: &str) -> Option<&str> {
        parts(kept).map(|(name, _)| name)
    }

    /// What they are called, in their order, if there are any. A name says nothing about its key.
    pub fn names(&self) -> Option<String> {
        let names: Vec<&str> = self.0.iter().map(|key| &*key.name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Whether the key with this name is among them.
    pub fn have(&self, name: &str) -> bool {
        self.0.iter().any(|key| key.name == name)
    }

    /// Whether `kept` is as it would be kept now.
    pub fn is_current(&self, kept: &str) -> bool {
        match (self.0.first(), parts(kept)) {
            (Some(key), Some((name, _))) => key.name == name,
            (Some(_), None) => false,
            // Without a key nothing is encrypted, and nothing decrypted for good either.
            (None, _) => true,
        }
    }
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).ok()?;
        let mut hash = Sha256::new();
        hash.update(b"the name of a key of handbill");
        hash.update(&bytes);
        Some(Self {
            name: hex(&hash.finalize()[..4]),
            key: LessSafeKey::new(key),
        })
    }
}

/// The name of the key, and what it has sealed.
fn parts(kept: &str) -> Option<(&str, &str)> {
    let rest = kept.strip_prefix(MARK)?.strip_prefix(':')?;
    Some(rest.split_once(':').unwrap_or((rest, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> EncryptionKeys {
        let keys: Vec<String> = bytes
            .iter()
            .map(|byte| BASE64_STANDARD.encode([*byte; 32]))
            .collect();
        EncryptionKeys::parse(&keys.join(", ")).unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_in_the_same_place_and_by_nothing_else() {
        let one = keys(&[1]);
        let sealed = one.seal("whsec_abc", "acct_1").unwrap();
        assert!(!sealed.contains("whsec") && sealed.starts_with("enc1:"));
        assert_ne!(sealed, one.seal("whsec_abc", "acct_1").unwrap());
        assert_eq!(one.open(&sealed, "acct_1").unwrap(), "whsec_abc");
        assert!(one.open(&sealed, "acct_2").is_err());
        assert!(keys(&[2]).open(&sealed, "acct_1").is_err());
        assert!(EncryptionKeys::default().open(&sealed, "acct_1").is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[place] ^= 1;
            let opened = one.open(&String::from_utf8(changed).unwrap(), "acct_1");
            assert!(opened.is_err() || place < 5, "{place}");
        }
    }

    #[test]
    fn a_new_key_in_front_of_the_old_reads_both_and_says_what_is_not_current() {
        let (old, both) = (keys(&[1]), keys(&[2, 1]));
        let sealed = old.seal("whsec_abc", "acct_1").unwrap();
        assert_eq!(both.open(&sealed, "acct_1").unwrap(), "whsec_abc");
        assert!(old.is_current(&sealed) && !both.is_current(&sealed));
        assert!(both.is_current(&both.seal("whsec_abc", "acct_1").unwrap()));
        assert!(!both.is_current("whsec_abc"));
        assert_eq!(both.open("whsec_abc", "acct_1").unwrap(), "whsec_abc");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "short", "AAAA", &BASE64_STANDARD.encode([0; 33])] {
            assert!(EncryptionKeys::parse(text).is_none(), "{text}");
        }
    }
}
