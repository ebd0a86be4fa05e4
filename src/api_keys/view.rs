//! A key as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{ApiKey, KeyKind, Secret};
use crate::clock::Timestamp;
use crate::http::answer::list_of;
use crate::idempotency::Recorded;
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, ProgramId};
use crate::text::Name;

/// A key; the secret itself only in the answer that makes it.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey, example = json!({
    "id": "key_0h5m8k2q9sx7v3n1b6tz", "account_id": "acct_123abc", "name": "Dashboard of Alice", "kind": "restricted",
    "scopes": ["posters:read", "stats:read"], "program_id": "prog_123abc", "student_id": "user_123abc",
    "hint": "x7Qa", "created_at": "2024-01-10T09:00:00Z", "expires_at": null, "revoked_at": null
}))]
pub struct KeyView {
    /// `key_…`; names the key without opening anything.
    pub id: ApiKeyId,
    /// Whose rows it opens.
    pub account_id: AccountId,
    /// What it is for.
    pub name: Name,
    /// Who may hold it.
    pub kind: KeyKind,
    /// What it may do; null: everything that its kind may.
    #[schema(required)]
    pub scopes: Option<Vec<String>>,
    /// The one program whose rows it opens; null: all.
    #[schema(required)]
    pub program_id: Option<ProgramId>,
    /// The one ambassador whose rows it opens; null: all.
    #[schema(required)]
    pub student_id: Option<AmbassadorId>,
    /// The secret's last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// When it was ended.
    #[schema(required)]
    pub revoked_at: Option<Timestamp>,
    /// The secret, shown this once, and not to a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            account_id: key.account_id,
            name: key.name,
            kind: key.kind,
            scopes: (key.kind == KeyKind::Restricted).then(|| key.scopes.list()),
            program_id: key.program_id,
            student_id: key.ambassador_id,
            hint: key.hint,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            key: None,
        }
    }
}

impl KeyView {
    /// The key as it is shown once: a retry shows it without its secret, of which only the hash was kept.
    pub fn once(recorded: Recorded<ApiKey>, secret: &Secret) -> Recorded<Self> {
        match recorded {
            Recorded::New(key) => Recorded::New(Self {
                key: Some(secret.reveal().to_owned()),
                ..key.into()
            }),
            Recorded::Replayed(key) => Recorded::Replayed(key.into()),
        }
    }
}

list_of! {
    /// A page of keys.
    pub struct KeyList {
        /// The keys, oldest first, ended ones too.
        pub keys: Vec<KeyView>
    }
}
