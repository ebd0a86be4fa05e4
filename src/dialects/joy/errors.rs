//! How Joy says that something failed.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::views::Millis;
use crate::error::Error;
use crate::http::surface::Told;

/// The body of every failure below `/rest_api/v2/`.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "success": false,
    "error": {
        "message": "email must be a valid e-mail address", "code": "VALIDATION_ERROR", "statusCode": 400,
        "details": { "field": "email" }
    },
    "timestamp": "2024-01-15T10:30:00.250Z"
}))]
pub struct JoyError {
    /// False.
    pub success: bool,
    /// What went wrong.
    pub error: JoyFailure,
    /// When it was asked for.
    pub timestamp: Millis,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct JoyFailure {
    /// A sentence for a person.
    pub message: String,
    /// Stable, for programs.
    #[schema(example = "NOT_FOUND")]
    pub code: &'static str,
    /// The answer's status again.
    #[serde(rename = "statusCode")]
    #[schema(example = 404)]
    pub status: u16,
    /// More about it, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<JoyDetails>,
}

/// More about a failure.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum JoyDetails {
    /// What was sent cannot be taken.
    Field {
        /// The parameter at fault.
        field: String,
    },
    /// The failure is ours.
    Request {
        /// Finds this request in the server's log; also in the `X-Request-Id` header.
        #[serde(rename = "requestId")]
        request_id: String,
    },
}

/// The table of failures, as Joy has it.
fn told(error: &Error) -> (u16, &'static str) {
    match error {
        Error::Invalid(_) | Error::Malformed(_) | Error::UnsupportedMediaType => {
            (400, "VALIDATION_ERROR")
        }
        Error::Unauthorized => (401, "UNAUTHORIZED"),
        // Not 403: there that means another plan.
        Error::Conflict { code, .. } if *code == "program_paused" => {
            (400, "REFERRAL_PROGRAM_PAUSED")
        }
        Error::Conflict { .. } => (409, "CONFLICT"),
        Error::Forbidden(_) | Error::OriginNotAllowed => (403, "INSUFFICIENT_SCOPE"),
        Error::NotFound(_) | Error::NoSuchPath => (404, "NOT_FOUND"),
        Error::MethodNotAllowed => (405, "METHOD_NOT_ALLOWED"),
        Error::RequestTimeout => (408, "REQUEST_TIMEOUT"),
        Error::TooLarge(_) => (413, "PAYLOAD_TOO_LARGE"),
        Error::TooManyRequests(_) => (429, "RATE_LIMIT_EXCEEDED"),
        Error::Unavailable(_) => (503, "SERVICE_UNAVAILABLE"),
        Error::Internal(_) => (500, "INTERNAL_ERROR"),
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::Unauthorized => {
            "X-Joy-Loyalty-App-Key must be the id of your account, and X-Joy-Loyalty-Secret-Key a key of it that works"
                .to_owned()
        }
        Error::Internal(_) => {
            "Something went wrong on our side; the requestId finds it in the log".to_owned()
        }
        error => error.to_string(),
    }
}

fn details(error: &Error, request: Told<'_>) -> Option<JoyDetails> {
    let fields = error.fields();
    // The one that the message is about.
    let missing = fields.iter().find(|field| field.code == "missing");
    match (missing.or(fields.first()), error) {
        (Some(field), _) => Some(JoyDetails::Field {
            field: field.field.clone(),
        }),
        (None, Error::Internal(_)) => Some(JoyDetails::Request {
            request_id: request.request_id.to_owned(),
        }),
        _ => None,
    }
}

/// The answer.
pub fn response(error: &Error, request: Told<'_>) -> HttpResponse {
    let (status, code) = told(error);
    let word = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(word).json(JoyError {
        success: false,
        error: JoyFailure {
            message: message(error),
            code,
            status,
            details: details(error, request),
        },
        timestamp: Millis(request.at),
    })
}

/// How every operation fails.
pub struct JoyRefusals;

impl IntoResponses for JoyRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let refusal = |status: u16| {
            let word = StatusCode::from_u16(status).ok();
            let word = word.and_then(|word| word.canonical_reason());
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("JoyError")))
                .build();
            let response = ResponseBuilder::new()
                .description(word.unwrap_or_default())
                .content("application/json", content)
                .build();
            (status.to_string(), RefOr::T(response))
        };
        [400, 401, 403, 404, 408, 413, 429, 500, 503]
            .map(refusal)
            .into()
    }
}
