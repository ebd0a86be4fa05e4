//! The `Idempotency-Key` header, the other spelling of the body field `idempotency_key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use utoipa::IntoParams;

use crate::error::Error;
use crate::parse::{Complaint, Parse};
use crate::text::IdempotencyKey;

/// The `Idempotency-Key` header, which says the same as the body field `idempotency_key`.
pub struct KeyHeader(Option<IdempotencyKey>);

impl KeyHeader {
    /// The one key of the request.
    pub fn or(self, in_body: Option<IdempotencyKey>) -> Result<Option<IdempotencyKey>, Error> {
        match (self.0, in_body) {
            (Some(header), Some(body)) if header != body => Err(Error::field(
                "idempotency_key",
                Complaint::new("contradiction", "differs from the Idempotency-Key header"),
            )),
            (header, body) => Ok(body.or(header)),
        }
    }
}

/// The header, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described, never built")]
pub struct KeyHeaderParam {
    /// The same as the body's `idempotency_key`.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255)]
    key: Option<String>,
}

impl FromRequest for KeyHeader {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let refuse = |complaint| Error::field("Idempotency-Key", complaint);
        let mut values = request.headers().get_all("idempotency-key");
        let Some(value) = values.next() else {
            return ready(Ok(Self(None)));
        };
        if values.next().is_some() {
            return ready(Err(refuse(Complaint::new(
                "repeated",
                "must be given only once",
            ))));
        }
        // What is no text has to stay two keys if it was two, so it is none.
        let text = str::from_utf8(value.as_bytes()).unwrap_or_default();
        // The IETF draft writes the key as a quoted string, everybody else as it is.
        let bare = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        ready(
            IdempotencyKey::parse(bare.unwrap_or(text))
                .map(|key| Self(Some(key)))
                .map_err(refuse),
        )
    }
}
