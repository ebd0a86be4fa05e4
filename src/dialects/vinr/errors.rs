//! How VINR says that something failed.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::error::Error;
use crate::http::surface::Told;
use crate::replies::model::Said;

/// The body of every failure below `/v1/`.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "error": {
    "type": "invalid_request_error", "code": "resource_missing", "message": "Referral not found", "param": "id",
    "doc_url": "http://localhost:3000/docs/#resource_missing", "request_id": "req_0h5m8k2q9sx7v3n1b6tz"
} }))]
pub struct VinrError {
    /// What went wrong.
    pub error: VinrFailure,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct VinrFailure {
    /// What kind of failure it is.
    #[serde(rename = "type")]
    #[schema(example = "invalid_request_error")]
    pub kind: &'static str,
    /// Stable and snake_case, for programs.
    #[schema(example = "resource_missing")]
    pub code: &'static str,
    /// A sentence for a person.
    pub message: String,
    /// The parameter at fault, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub param: Option<String>,
    /// Where there is more to read.
    #[schema(format = "uri")]
    pub doc_url: String,
    /// Finds this request in the server's log; also in the `X-Request-Id` header.
    pub request_id: String,
}

const INVALID: &str = "invalid_request_error";
const IDEMPOTENCY: &str = "idempotency_error";
const API: &str = "api_error";

/// Status, type, code, parameter.
type Told4 = (u16, &'static str, &'static str, Option<String>);

/// The table of failures, as VINR has it.
fn told(error: &Error) -> Told4 {
    let param = |name: &str| Some(name.to_owned());
    match error {
        Error::Invalid(fields) => {
            let missing = fields.iter().find(|field| field.code == "missing");
            let Some(first) = missing.or(fields.first()) else {
                return (400, INVALID, "parameter_invalid", None);
            };
            match first.code {
                "missing" => (400, INVALID, "parameter_missing", param(&first.field)),
                "unknown_id" => (404, INVALID, "resource_missing", param(&first.field)),
                _ => (400, INVALID, "parameter_invalid", param(&first.field)),
            }
        }
        Error::Malformed(_) => (400, INVALID, "parameter_invalid", None),
        Error::Unauthorized => (401, "authentication_error", "invalid_api_key", None),
        Error::Forbidden(_) | Error::OriginNotAllowed => {
            (403, "permission_error", "insufficient_permissions", None)
        }
        Error::NotFound(_) => (404, INVALID, "resource_missing", param("id")),
        Error::NoSuchPath => (404, INVALID, "resource_missing", None),
        Error::Conflict { code, .. } => match *code {
            "idempotency_key_reused" => (409, IDEMPOTENCY, code, None),
            "self_referral" => (
                422,
                INVALID,
                "referral_not_allowed",
                param("referred_customer"),
            ),
            "already_referred" => (
                422,
                INVALID,
                "referral_already_exists",
                param("referred_customer"),
            ),
            "program_paused" => (422, INVALID, "referral_not_allowed", None),
            "email_taken" => (422, INVALID, code, param("email")),
            _ => (422, INVALID, code, None),
        },
        Error::TooManyRequests(_) => (429, "rate_limit_error", "rate_limited", None),
        Error::MethodNotAllowed
        | Error::RequestTimeout
        | Error::TooLarge(_)
        | Error::UnsupportedMediaType => (error.status().as_u16(), INVALID, error.code(), None),
        Error::Unavailable(_) | Error::Internal(_) => {
            (error.status().as_u16(), API, error.code(), None)
        }
    }
}

/// The status and the body.
pub fn said(error: &Error, request: Told<'_>) -> Said {
    let (status, kind, code, param) = told(error);
    let message = match error {
        Error::UnsupportedMediaType => {
            "The request body must be JSON or a form, and not compressed".to_owned()
        }
        error => error.to_string(),
    };
    let body = VinrError {
        error: VinrFailure {
            kind,
            code,
            message,
            param,
            doc_url: format!("{}/docs/#{code}", request.public_url),
            request_id: request.request_id.to_owned(),
        },
    };
    Said {
        status,
        // A struct of texts always has a JSON.
        body: serde_json::to_string(&body).unwrap_or_default(),
    }
}

/// The answer.
pub fn response(error: &Error, request: Told<'_>) -> HttpResponse {
    said(error, request).response()
}

/// How operations that only look fail.
pub struct VinrRefusals;
/// How operations that write fail.
pub struct VinrWriteRefusals;

impl IntoResponses for VinrRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        documented(&[400, 401, 403, 404, 429, 500, 503])
    }
}

impl IntoResponses for VinrWriteRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        documented(&[400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503])
    }
}

fn documented(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let refusal = |status: &u16| {
        let word = StatusCode::from_u16(*status).ok();
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("VinrError")))
            .build();
        let response = ResponseBuilder::new()
            .description(
                word.and_then(|word| word.canonical_reason())
                    .unwrap_or_default(),
            )
            .content("application/json", content)
            .build();
        (status.to_string(), RefOr::T(response))
    };
    statuses.iter().map(refusal).collect()
}
