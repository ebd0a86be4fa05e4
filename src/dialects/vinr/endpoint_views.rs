//! A webhook endpoint as VINR shows it, and the types of events in VINR's words.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::views::{EVENT_TYPES, seconds};
use crate::http::fields::FieldValue;
use crate::ids::WebhookEndpointId;
use crate::parse::{Complaint, Parse};
use crate::text::WebUrl;
use crate::webhooks::model::{Endpoint, EventTypes};

/// VINR's ids begin with `we_`.
pub fn shown(id: &WebhookEndpointId) -> String {
    id.as_str().replacen("whe_", "we_", 1)
}

/// Whether anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VinrEndpointStatus {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
}

impl Parse for VinrEndpointStatus {
    fn parse(word: &str) -> Result<Self, Complaint> {
        match word {
            "enabled" => Ok(Self::Enabled),
            "disabled" => Ok(Self::Disabled),
            _ => Err(Complaint::new(
                "unknown_value",
                "must be one of enabled, disabled",
            )),
        }
    }
}

/// Where events are sent.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "we_0h5m8k2q9sx7v3n1b6tz", "url": "https://example.com/hooks", "status": "enabled", "enabled_events": ["*"],
    "created": 1_731_000_000
}))]
pub struct VinrWebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// Where to.
    pub url: WebUrl,
    /// Whether anything is sent.
    pub status: VinrEndpointStatus,
    /// The types of events it wants; `*`: all.
    pub enabled_events: Vec<String>,
    /// Signs what is sent. Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub secret: Option<String>,
    /// When it was made, in Unix seconds.
    pub created: i64,
}

impl From<Endpoint> for VinrWebhookEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: shown(&endpoint.id),
            url: endpoint.url,
            status: match endpoint.enabled {
                1 => VinrEndpointStatus::Enabled,
                _ => VinrEndpointStatus::Disabled,
            },
            enabled_events: endpoint.types.as_ref().map(theirs).unwrap_or_default(),
            secret: None,
            created: seconds(endpoint.created_at),
        }
    }
}

/// It is gone.
#[derive(Serialize, ToSchema)]
pub struct VinrDeleted {
    /// `we_…`
    pub id: String,
    /// True.
    pub deleted: bool,
}

/// Types of events as VINR names them; one that never happens here is kept, and nothing is ever sent for it.
pub struct Enabled(Vec<String>);

impl Enabled {
    /// All of them.
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }
}

/// As many as anybody needs.
const MOST: usize = 100;
/// All about introductions, in our words.
const ALL: &str = "introduction.*";

impl FieldValue for Enabled {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        let one = value.as_str().map(|one| vec![one.to_owned()]);
        let types: Option<Vec<String>> = one.or_else(|| serde_json::from_value(value).ok());
        match types {
            Some(types) if (1..=MOST).contains(&types.len()) && types.iter().all(is_type) => {
                Ok(Self(types))
            }
            _ => Err(Complaint::new(
                "invalid_events",
                "must be an array of 1 to 100 types of events, or of *",
            )),
        }
    }
}

#[expect(clippy::ptr_arg, reason = "it is what an iterator has")]
fn is_type(text: &String) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_' | b'*');
    (1..=100).contains(&text.len()) && text.bytes().all(fits)
}

impl Enabled {
    /// In our words.
    pub fn ours(&self) -> EventTypes {
        let ours = |word: &String| match &**word {
            "*" => ALL.to_owned(),
            word => {
                let mut types = EVENT_TYPES.iter();
                let known = types.find(|(theirs, _)| *theirs == word);
                known.map_or(word, |(_, kind)| kind.as_str()).to_owned()
            }
        };
        EventTypes::foreign(&self.0.iter().map(ours).collect::<Vec<_>>())
    }
}

/// In VINR's words again.
fn theirs(types: &EventTypes) -> Vec<String> {
    let theirs = |ours: String| match &*ours {
        ALL => "*".to_owned(),
        ours => {
            let mut types = EVENT_TYPES.iter();
            let known = types.find(|(_, kind)| kind.as_str() == ours);
            known.map_or(ours, |(theirs, _)| theirs).to_owned()
        }
    };
    types.list().into_iter().map(theirs).collect()
}
