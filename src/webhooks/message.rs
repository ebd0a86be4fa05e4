//! What is sent: the bytes, and the signature over them, as Standard Webhooks 1.0.0 says, or as the endpoint's dialect does.

use serde::Serialize;
use serde_json::value::RawValue;
use standardwebhooks::Webhook;

use super::model::Dialect;
use super::secret::SigningSecret;
use crate::clock::Timestamp;
use crate::dialects::vinr;
use crate::error::Error;
use crate::events::model::Event;
use crate::ids::{EventId, WebhookEndpointId};

/// The type of an event that nothing has happened for: somebody wants to see one arrive.
pub const TEST: &str = "webhook.test";

/// The JSON object that a receiver gets. The id is the event's, the same at every attempt.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// How what it happened to looked then.
    pub data: Box<RawValue>,
    /// `evt_…`
    pub id: EventId,
    /// 1, 2, 3 … of the account; none for a test.
    pub sequence: Option<i64>,
    /// Where it stood before, if it has a status.
    pub previous_status: Option<String>,
    /// In whose words.
    #[serde(skip)]
    pub dialect: Dialect,
}

impl Message {
    /// What is sent of an event.
    pub fn of(dialect: Dialect, event: &Event) -> Self {
        Self {
            kind: event.kind.as_str().to_owned(),
            timestamp: event.created_at,
            data: RawValue::from_string(event.data.clone()).unwrap_or_default(),
            id: event.id(),
            sequence: Some(event.sequence),
            previous_status: event.previous_status.clone(),
            dialect,
        }
    }

    /// What is sent to try an endpoint out.
    pub fn test(dialect: Dialect, endpoint: &WebhookEndpointId, now: Timestamp) -> Self {
        let id = match dialect {
            Dialect::Handbill => endpoint.as_str().to_owned(),
            Dialect::Vinr => vinr::endpoint_views::shown(endpoint),
        };
        let data = format!(r#"{{"webhook_endpoint_id":"{id}"}}"#);
        Self {
            kind: TEST.to_owned(),
            timestamp: now,
            data: RawValue::from_string(data).unwrap_or_default(),
            id: EventId::new(now),
            sequence: None,
            previous_status: None,
            dialect,
        }
    }

    /// The bytes that are signed and sent.
    ///
    /// # Errors
    /// Never, as long as this is something that JSON can say.
    pub fn body(&self) -> Result<String, Error> {
        match self.dialect {
            Dialect::Handbill => serde_json::to_string(self).map_err(Error::internal),
            Dialect::Vinr => vinr::message::body(self),
        }
    }

    /// The headers that say what it is and that it is from us.
    ///
    /// # Errors
    /// A stored secret is not one.
    pub fn headers(
        &self,
        secrets: &[SigningSecret],
        at: Timestamp,
        body: &str,
    ) -> Result<Vec<(&'static str, String)>, Error> {
        let id = self.id.as_str();
        let seconds = at.micros().div_euclid(1_000_000);
        match self.dialect {
            Dialect::Handbill => Ok(vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", signatures(secrets, id, at, body)?),
            ]),
            Dialect::Vinr => Ok(vinr::message::headers(secrets, seconds, body)),
        }
    }
}

/// The header `webhook-signature`: one signature for each secret that is valid.
///
/// # Errors
/// A stored secret is not one.
fn signatures(
    secrets: &[SigningSecret],
    id: &str,
    at: Timestamp,
    body: &str,
) -> Result<String, Error> {
    let seconds = at.micros().div_euclid(1_000_000);
    let sign = |secret: &SigningSecret| {
        Webhook::new(secret.as_str())
            .and_then(|webhook| webhook.sign(id, seconds, body.as_bytes()))
            .map_err(|error| Error::internal(error.to_string()))
    };
    let each: Result<Vec<String>, Error> = secrets.iter().map(sign).collect();
    Ok(each?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_example_is_signed_as_it_says() {
        let secret = SigningSecret::known("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let signed = signatures(
            &[secret.clone(), secret],
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            Timestamp::from_micros(1_649_367_553_999_999),
            r#"{"email":"test@example.com","username":"test_user"}"#,
        )
        .unwrap();
        let one = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(signed, format!("{one} {one}"));
    }
}
