//! An endpoint, what it wants to hear, and what became of an event there.

use std::collections::HashSet;

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::secret::{KeptSecret, SigningSecret};
use crate::clock::Timestamp;
use crate::db::columns::{stored_as_text, text_enum};
use crate::db::schema::{webhook_deliveries, webhook_endpoints};
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::events::model::EventKind;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, EventId, WebhookEndpointId};
use crate::parse::{Complaint, excerpt};
use crate::text::{IdempotencyKey, Paragraph, WebUrl};

/// The types of events that an endpoint wants: `referral.created`, or `referral.*` for all about referrals. Stored as a
/// JSON array.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct EventTypes(CompactString);

impl EventTypes {
    /// Takes types and patterns of which each fits some event.
    ///
    /// # Errors
    /// There is none, or one fits nothing.
    pub fn new(types: &[String]) -> Result<Self, Complaint> {
        let is_known = |wanted: &String| {
            let mut kinds = EventKind::ALL.iter();
            kinds.any(|kind| fits(wanted, kind.as_str()))
        };
        let complaint = match types.iter().find(|wanted| !is_known(wanted)) {
            Some(unknown) => {
                let unknown = excerpt(unknown);
                format!("must be types of events or patterns such as referral.*, not '{unknown}'")
            }
            None if types.is_empty() => {
                "must name at least one type, or be null for all".to_owned()
            }
            None => return Ok(Self::foreign(&once_each(types))),
        };
        Err(Complaint::new("unknown_value", complaint))
    }

    /// Takes what another API calls its types: some fit nothing that happens here.
    pub fn foreign(types: &[String]) -> Self {
        Self(serde_json::json!(types).to_string().into())
    }

    /// The types and patterns.
    pub fn list(&self) -> Vec<String> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        Ok(Self(text))
    }
}

/// Without repetitions, so that the list is no longer than there are types and patterns.
fn once_each(types: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let new = types.iter().filter(|wanted| seen.insert(wanted.as_str()));
    new.cloned().collect()
}

/// Whether an event of type `kind` is what `wanted` says.
fn fits(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix(".*") {
        None => wanted == kind,
        Some(noun) => kind.split_once('.').is_some_and(|(of, _)| of == noun),
    }
}

stored_as_text!(EventTypes);

text_enum! {
    /// In whose words events are told, and how they are signed.
    pub enum Dialect {
        /// Ours: Standard Webhooks.
        Handbill = "handbill",
        /// VINR's.
        Vinr = "vinr",
    }
}

/// Where events are sent, and how far that has come.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = webhook_endpoints, treat_none_as_default_value = false)]
pub struct Endpoint {
    /// Whose it is.
    pub account_id: AccountId,
    /// `whe_…`
    pub id: WebhookEndpointId,
    /// Where to.
    pub url: WebUrl,
    /// In whose words.
    pub dialect: Dialect,
    /// What it wants to hear; none: everything.
    pub types: Option<EventTypes>,
    /// For people.
    pub description: Option<Paragraph>,
    /// 1 if anything is sent.
    pub enabled: i64,
    /// Signs what is sent.
    pub secret: KeptSecret,
    /// The one before …
    pub old_secret: Option<KeptSecret>,
    /// … which signs too until then.
    pub old_secret_until: Option<Timestamp>,
    /// The idempotency key of the rotation that made the secret.
    pub rotation_key: Option<IdempotencyKey>,
    /// The sequence of the last event that is done with.
    pub reached: i64,
    /// A replay ends behind this one …
    pub replay_to: Option<i64>,
    /// … and goes on behind that one.
    pub resume_at: Option<i64>,
    /// How often the next event was tried.
    pub attempt: i64,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Since when nothing was delivered although it was tried.
    pub failing_since: Option<Timestamp>,
    /// Until then one process delivers, and no other. Also that process's token.
    pub leased_until: Option<Timestamp>,
    /// When handbill disabled it.
    pub disabled_at: Option<Timestamp>,
    /// Why.
    pub disabled_reason: Option<String>,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed.
    pub updated_at: Timestamp,
}

impl Keyed for Endpoint {
    const WHAT: &'static str = "webhook endpoint";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

impl Endpoint {
    /// Whether it wants to hear of events of this type.
    pub fn wants(&self, kind: &str) -> bool {
        let fit = |types: &EventTypes| types.list().iter().any(|wanted| fits(wanted, kind));
        self.types.as_ref().is_none_or(fit)
    }

    /// The secrets that sign at `now`, the newest first.
    ///
    /// # Errors
    /// One is encrypted with a key that is not among `keys`.
    pub fn secrets(
        &self,
        keys: &EncryptionKeys,
        now: Timestamp,
    ) -> Result<Vec<SigningSecret>, Error> {
        let lives = self.old_secret_until.is_some_and(|until| now < until);
        let old = self.old_secret.iter().filter(|_| lives);
        let kept = [&self.secret].into_iter().chain(old);
        kept.map(|kept| kept.open(keys, &self.account_id)).collect()
    }

    /// The next event is tried at once, as if it never had been.
    pub fn start_afresh(&mut self) {
        self.attempt = 0;
        self.next_attempt_at = None;
        self.failing_since = None;
    }

    /// Nothing is sent any more, because of `reason`.
    pub fn disable(&mut self, reason: &str, now: Timestamp) {
        self.enabled = 0;
        self.disabled_at = Some(now);
        self.disabled_reason = Some(reason.to_owned());
        self.next_attempt_at = None;
    }
}

/// What a new endpoint is made of.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Where to.
    pub url: WebUrl,
    /// In whose words.
    pub dialect: Dialect,
    /// What it wants to hear.
    pub types: Option<EventTypes>,
    /// For people.
    pub description: Option<Paragraph>,
    /// Whether anything is sent from the start.
    pub enabled: bool,
    /// Made before the write, which may run twice.
    pub secret: KeptSecret,
    /// The caller's key.
    pub retry: Option<Retry>,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone)]
pub struct EndpointChanges {
    /// Another address.
    pub url: Option<WebUrl>,
    /// Other types, or all.
    pub types: Option<Option<EventTypes>>,
    /// Another description, or none.
    pub description: Option<Option<Paragraph>>,
    /// On or off.
    pub enabled: Option<bool>,
}

text_enum! {
    /// What became of an event at an endpoint.
    pub enum DeliveryStatus {
        /// It was tried, and will be again.
        Pending = "pending",
        /// The receiver has it.
        Delivered = "delivered",
        /// It was tried ten times, or the endpoint was disabled.
        Failed = "failed",
    }
}

/// An event at an endpoint, as of the last attempt.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable, AsChangeset)]
#[diesel(table_name = webhook_deliveries, treat_none_as_default_value = false, treat_none_as_null = true)]
#[diesel(primary_key(account_id, endpoint_id, event_id))]
pub struct Delivery {
    /// Whose it is.
    pub account_id: AccountId,
    /// Where it was sent.
    pub endpoint_id: WebhookEndpointId,
    /// What was sent.
    pub event_id: EventId,
    /// The event's type.
    pub kind: EventKind,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// What the receiver last answered.
    pub last_status: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// The beginning of the last answer.
    pub excerpt: Option<String>,
    /// How many milliseconds the last attempt took.
    pub took_ms: i64,
    /// When it was first tried.
    pub first_at: Timestamp,
    /// When it was last tried.
    pub last_at: Timestamp,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
}
