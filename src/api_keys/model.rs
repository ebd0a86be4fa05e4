//! An API key's record, and the secret it stands for.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;
use nanoid::nanoid;
use sha2::{Digest, Sha256};

use super::scope::Scope;
use crate::clock::Timestamp;
use crate::db::columns::{stored_as_text, text_enum};
use crate::db::schema::api_keys;
use crate::idempotency::{Keyed, Retry, hex};
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, ProgramId};
use crate::parse::{Complaint, excerpt};
use crate::text::{IdempotencyKey, Name};

const ALPHABET: [char; 62] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I',
    'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b',
    'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z',
];

text_enum! {
    /// Who may hold a key, and so what it opens.
    pub enum KeyKind {
        /// A server of yours: everything.
        Secret = "secret",
        /// A part of your system: its scopes.
        Restricted = "restricted",
        /// Everybody, in a web page: what is public.
        Publishable = "publishable",
    }
}

impl KeyKind {
    /// What its keys begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Secret => "sk_",
            Self::Restricted => "rk_",
            Self::Publishable => "pk_",
        }
    }
}

/// What a key may do, as it is kept: words with spaces between them, in the documented order.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Scopes(CompactString);

impl Scopes {
    /// Takes words such as `referrals:read`.
    ///
    /// # Errors
    /// There is none, or one that no key can have.
    pub fn new(words: &[String]) -> Result<Self, Complaint> {
        let known = |word: &String| {
            Scope::all()
                .filter(|scope| scope.can_be_granted())
                .any(|scope| scope.to_string() == *word)
        };
        let complaint = match words.iter().find(|word| !known(word)) {
            Some(unknown) => {
                let unknown = excerpt(unknown);
                format!("must be scopes such as referrals:read, not '{unknown}'")
            }
            None if words.is_empty() => "must name at least one scope".to_owned(),
            None => {
                let named = |scope: &Scope| words.contains(&scope.to_string());
                return Ok(Scope::all().filter(named).collect());
            }
        };
        Err(Complaint::new("unknown_value", complaint))
    }

    /// None in particular.
    pub fn none() -> Self {
        Self(CompactString::default())
    }

    /// The words.
    pub fn list(&self) -> Vec<String> {
        self.0.split_whitespace().map(str::to_owned).collect()
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let words: Vec<String> = scopes.into_iter().map(|scope| scope.to_string()).collect();
        Self(words.join(" ").into())
    }
}

stored_as_text!(Scopes);

/// What is stored of a key.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct ApiKey {
    /// `key_…`; names the key without opening anything.
    pub id: ApiKeyId,
    /// Whose rows it opens.
    pub account_id: AccountId,
    /// What it is for, in the owner's words.
    pub name: Name,
    /// Who may hold it.
    pub kind: KeyKind,
    /// What a restricted key may do.
    pub scopes: Scopes,
    /// The one program whose rows it opens.
    pub program_id: Option<ProgramId>,
    /// The one ambassador of that program whose rows it opens.
    pub ambassador_id: Option<AmbassadorId>,
    /// SHA-256 of the secret, in hexadecimal.
    pub hash: String,
    /// The secret's last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// The key in whose place it was put.
    pub replaces: Option<ApiKeyId>,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
}

impl Keyed for ApiKey {
    const WHAT: &'static str = "key";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

impl ApiKey {
    /// Whether it works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

/// What somebody wants a key for.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for.
    pub name: Name,
    /// Who will hold it.
    pub kind: KeyKind,
    /// What a restricted key may do.
    pub scopes: Scopes,
    /// The one program that it opens.
    pub program_id: Option<ProgramId>,
    /// The one ambassador that it opens.
    pub ambassador_id: Option<AmbassadorId>,
    /// When it is to stop working.
    pub expires_at: Option<Timestamp>,
    /// The key in whose place it is put.
    pub replaces: Option<ApiKeyId>,
    /// What makes a retry the same key.
    pub retry: Option<Retry>,
}

impl NewKey {
    /// A key that opens everything.
    pub fn secret(name: &Name) -> Self {
        Self {
            name: name.clone(),
            kind: KeyKind::Secret,
            scopes: Scopes::none(),
            program_id: None,
            ambassador_id: None,
            expires_at: None,
            replaces: None,
            retry: None,
        }
    }
}

/// The secret itself, `sk_…`. It has no `Debug`, so it cannot end up in a log.
pub struct Secret(String);

impl Secret {
    /// A new one that opens everything.
    pub fn random() -> Self {
        Self::of_kind(KeyKind::Secret)
    }

    /// A new one: 40 letters and digits, 238 random bits.
    pub fn of_kind(kind: KeyKind) -> Self {
        Self(format!("{}{}", kind.prefix(), nanoid!(40, &ALPHABET)))
    }

    /// A secret that somebody presented, or that the documents fix for the demo.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether any of our secrets begins like that.
    pub fn could_be(text: &str) -> bool {
        KeyKind::ALL
            .iter()
            .any(|kind| text.starts_with(kind.prefix()))
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
