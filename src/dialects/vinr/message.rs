//! An event as VINR's receivers get it, and how it is signed.

use ring::hmac;
use serde::Serialize;
use serde_json::json;

use super::views::{VinrEvent, seconds};
use crate::error::Error;
use crate::idempotency::hex;
use crate::webhooks::message::Message;
use crate::webhooks::secret::SigningSecret;

/// The bytes that are signed and sent.
///
/// # Errors
/// A stored snapshot cannot be read.
pub fn body(message: &Message) -> Result<String, Error> {
    let event = VinrEvent::told(
        &message.id,
        &message.kind,
        message.data.get(),
        message.timestamp,
    )?;
    match event {
        Some(event) => text(&event),
        // A test: nothing has happened to anything.
        None => text(&json!({
            "id": message.id, "type": message.kind, "data": { "object": message.data },
            "created": seconds(message.timestamp),
        })),
    }
}

fn text(body: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(body).map_err(Error::internal)
}

/// `X-Vinr-Timestamp`, and in `X-Vinr-Signature` the HMAC-SHA256 of it, a dot and the body, with the endpoint's secret as it
/// was shown as the key. There is room for one signature, so the newest secret makes it.
pub fn headers(secrets: &[SigningSecret], seconds: i64, body: &str) -> Vec<(&'static str, String)> {
    let secret = secrets.first().map_or("", SigningSecret::as_str);
    vec![
        ("x-vinr-timestamp", seconds.to_string()),
        ("x-vinr-signature", signature(secret, seconds, body)),
    ]
}

fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = format!("{seconds}.{body}");
    hex(hmac::sign(&key, signed.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn a_signature_is_what_others_compute() {
        assert_eq!(
            signature("whsec_test", 1_731_604_800, r#"{"id":"evt_1"}"#),
            "347d5ce20ed9a9561e2ee41210b0825627a0e9a746b7f9895b181fec3dffb3df"
        );
    }
}
