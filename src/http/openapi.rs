//! What the OpenAPI document says about every operation alike: how one signs in, and how things fail.
//! The operations themselves are described where they are, in each noun's `routes.rs`.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use crate::db::page::Order;
use crate::error::{FieldError, words};
use crate::http::edge::ErrorBody;

/// The document without its operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "handbill",
        description = "The backend of an ambassador programme that recruits through QR posters. \
            Authenticate with your key: `Authorization: Bearer sk_…`. Each operation names the scope that a restricted \
            key needs for it. \
            Times are UTC in whole seconds, amounts whole minor units (cents). Lists are oldest first.",
    ),
    components(schemas(ErrorBody, FieldError, Order)),
    modifiers(&Common),
    security(("bearerAuth" = [])),
    tags(
        (name = "Programs", description = "What is promised, and where a scan leads"),
        (name = "Rules", description = "What a program pays for a conversion"),
        (name = "Users", description = "The ambassadors"),
        (name = "Posters", description = "What hangs on the wall, each with its own code"),
        (name = "Impressions", description = "Scans"),
        (name = "Referrals", description = "Signups and what became of them"),
        (name = "Customers", description = "People you know, who bring each other, and what they get for it"),
        (name = "Earnings", description = "Commissions"),
        (name = "Payouts", description = "Money leaving"),
        (name = "Ledger", description = "Every movement of money, and what it adds up to"),
        (name = "Events", description = "What happened, in order"),
        (name = "Webhooks", description = "Events, sent to you as they happen"),
        (name = "VINR", description = "VINR's referrals: customers who bring customers, as that API has it"),
        (name = "Joy", description = "Joy's referrals: links, who brought a customer, and counts, as that API has them"),
        (name = "Public", description = "What phones and browsers ask for, without a key"),
        (name = "Keys", description = "Who may do what"),
        (name = "Operations", description = "For whoever runs the server"),
    )
)]
pub struct Base;

/// What every operation refers to.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("API Key")
            .description(Some(
                "A secret key, `sk_…`, which opens everything, or a restricted one, `rk_…`, with the scope that the operation \
                names; a publishable one, `pk_…`, has `public:read`.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        let key =
            ApiKeyValue::with_description("X-Api-Key", "The same key, as VINR's clients send it.");
        let joy = [
            (
                "joyAppKey",
                "X-Joy-Loyalty-App-Key",
                "The id of the key's account, `acct_…`, as Joy's clients send it.",
            ),
            (
                "joySecretKey",
                "X-Joy-Loyalty-Secret-Key",
                "The same key as `bearerAuth`, as Joy's clients send it.",
            ),
        ];
        for (name, header, description) in joy {
            let key = ApiKeyValue::with_description(header, description);
            components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(key)));
        }
        components.add_security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(key)));
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
        for status in [400, 401, 403, 404, 408, 409, 413, 415, 429, 500, 503] {
            components
                .responses
                .insert(component(status), RefOr::T(refusal(status)));
        }
    }
}

/// How a list fails.
pub struct ListRefusals;
/// How a list of what belongs to one thing fails.
pub struct PartsRefusals;
/// How a look at one thing fails.
pub struct ShowRefusals;
/// How a create fails.
pub struct CreateRefusals;
/// How an update fails.
pub struct UpdateRefusals;

impl IntoResponses for ListRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 429, 500, 503])
    }
}

impl IntoResponses for PartsRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 404, 429, 500, 503])
    }
}

impl IntoResponses for ShowRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[401, 403, 404, 429, 500, 503])
    }
}

impl IntoResponses for CreateRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 408, 409, 413, 415, 429, 500, 503])
    }
}

impl IntoResponses for UpdateRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[400, 401, 403, 404, 408, 409, 413, 415, 429, 500, 503])
    }
}

fn refusals(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let reference = |status: &u16| Ref::from_response_name(component(*status));
    statuses
        .iter()
        .map(|status| (status.to_string(), RefOr::Ref(reference(status))))
        .collect()
}

/// The name of a refusal among the document's components: `Status400`.
fn component(status: u16) -> String {
    format!("Status{status}")
}

fn refusal(status: u16) -> Response {
    let (description, code, message) = match status {
        400 => (
            "Bad input; `errors` names every field",
            "invalid_request",
            "Missing required field: first_name",
        ),
        401 => (
            "No valid API key",
            "invalid_api_key",
            "Invalid or missing API key",
        ),
        403 => (
            "The key may not do this",
            "insufficient_scope",
            "This key may not do that: it needs the scope referrals:write",
        ),
        404 => (
            "Nothing of yours has this id",
            "not_found",
            "Referral not found",
        ),
        408 => (
            "The body took too long to arrive",
            "request_timeout",
            "The request body did not arrive in time",
        ),
        409 => (
            "What is stored forbids it",
            "idempotency_key_reused",
            "This idempotency_key was already used for another referral; nothing was changed",
        ),
        413 => (
            "The body is too large",
            "body_too_large",
            "The request body is larger than 1048576 bytes",
        ),
        415 => (
            "The body is not JSON",
            "unsupported_media_type",
            "The request body must be sent as Content-Type: application/json, and not compressed",
        ),
        429 => (
            "Over the rate limit; see `Retry-After`",
            "rate_limited",
            "Too many requests; Retry-After says when there is room again",
        ),
        503 => (
            "Overloaded, or the database is away; see `Retry-After`",
            "unavailable",
            "The service cannot take this request right now; please try again",
        ),
        _ => (
            "A defect on our side",
            "internal_error",
            "Something went wrong on our side; the request_id finds it in the log",
        ),
    };
    let word = StatusCode::from_u16(status).map_or("Error", words);
    let example = json!({ "error": word, "message": message, "code": code, "request_id": "req_0h5m8k2q9sx7v3n1b6tz" });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorBody")))
        .example(Some(example))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build()
}
