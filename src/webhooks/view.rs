//! An endpoint as `/api/v1` shows it.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Dialect, Endpoint, EventTypes};
use super::secret::SigningSecret;
use crate::clock::Timestamp;
use crate::http::answer::list_of;
use crate::ids::WebhookEndpointId;
use crate::text::{Paragraph, WebUrl};

/// Where events are sent, and how far that has come.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint, example = json!({
    "id": "whe_0h5m8k2q9sx7v3n1b6tz", "url": "https://example.com/hooks/handbill", "dialect": "handbill", "types": ["referral.*", "earning.created"],
    "description": "CRM", "enabled": true, "reached": 1041, "attempt": 0, "next_attempt_at": null, "failing_since": null,
    "disabled_at": null, "disabled_reason": null, "old_secret_until": null,
    "created_at": "2024-01-10T09:00:00Z", "updated_at": "2024-01-10T09:00:00Z"
}))]
pub struct EndpointView {
    /// `whe_…`
    pub id: WebhookEndpointId,
    /// Where to.
    pub url: WebUrl,
    /// In whose words it hears of them; `vinr` if it was made at `/v1/webhook-endpoints`.
    pub dialect: Dialect,
    /// The types of events it wants, `referral.*` for all about referrals; null: all.
    #[schema(required)]
    pub types: Option<Vec<String>>,
    /// For people.
    #[schema(required)]
    pub description: Option<Paragraph>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Signs what is sent. Only in the answers that made it.
    #[schema(nullable = false, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until then the secret before this one signs too.
    #[schema(required)]
    pub old_secret_until: Option<Timestamp>,
    /// The sequence of the last event that is done with.
    pub reached: i64,
    /// How often the next event was tried.
    pub attempt: i64,
    /// When it is tried again; null: at once, or nothing waits.
    #[schema(required)]
    pub next_attempt_at: Option<Timestamp>,
    /// Since when nothing was delivered although it was tried. After 5 days the endpoint is disabled.
    #[schema(required)]
    pub failing_since: Option<Timestamp>,
    /// When handbill disabled it; enable it to go on where it stopped.
    #[schema(required)]
    pub disabled_at: Option<Timestamp>,
    /// Why.
    #[schema(required)]
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed.
    pub updated_at: Timestamp,
}

impl From<Endpoint> for EndpointView {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id,
            url: endpoint.url,
            dialect: endpoint.dialect,
            types: endpoint.types.as_ref().map(EventTypes::list),
            description: endpoint.description,
            enabled: endpoint.enabled == 1,
            secret: None,
            old_secret_until: endpoint.old_secret_until,
            reached: endpoint.reached,
            attempt: endpoint.attempt,
            next_attempt_at: endpoint.next_attempt_at,
            failing_since: endpoint.failing_since,
            disabled_at: endpoint.disabled_at,
            disabled_reason: endpoint.disabled_reason,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl EndpointView {
    /// The one that is shown to whoever made the secret.
    pub fn with_secret(endpoint: Endpoint, secret: &SigningSecret) -> Self {
        let secret = Some(secret.as_str().to_owned());
        Self {
            secret,
            ..Self::from(endpoint)
        }
    }
}

list_of! {
    /// A page of webhook endpoints.
    pub struct WebhookEndpointList {
        /// The endpoints, oldest first.
        pub webhook_endpoints: Vec<EndpointView>
    }
}
