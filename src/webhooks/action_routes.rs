//! `/api/v1/webhook-endpoints/{id}:…`: a new secret, a test, everything once more.

use actix_web::web;
use utoipa::{OpenApi, ToSchema};

use super::delivery_view::TestView;
use super::message::Message;
use super::queries;
use super::replay::{Start, replay as set_back};
use super::rotate::rotate;
use super::secret::{KeptSecret, SigningSecret};
use super::view::EndpointView;
use crate::acts::model::{Act, Action};
use crate::acts::note::{note_if_changed, note_if_new};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::Created;
use crate::http::body::{Body, for_existing};
use crate::http::fields::fields;
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::idempotency::Recorded;
use crate::ids::{EventId, WebhookEndpointId};
use crate::parse::Complaint;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/webhook-endpoints/{id}:rotate-secret")
                .route(web::post().to(rotate_secret)),
        )
        .service(web::resource("/webhook-endpoints/{id}:replay").route(web::post().to(replay)))
        .service(web::resource("/webhook-endpoints/{id}:test").route(web::post().to(test)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(rotate_secret, replay, test))]
pub struct Docs;

fields! {
    /// Which events: either `from` or `after` must be given.
    #[derive(ToSchema)]
    #[schema(example = json!({"from": "2024-01-15T10:00:00Z", "to": "2024-01-15T11:00:00Z"}))]
    pub struct ReplayEvents {
        /// Events of this second and later.
        pub from: Option<Timestamp>,
        /// Events up to the end of this second; all when left out.
        pub to: Option<Timestamp>,
        /// Events behind this one.
        pub after: Option<EventId>,
    }
}

/// Rotate a webhook endpoint's secret
///
/// The answer has the new secret in it, which is not shown again. For 24 hours what is sent has two signatures, one with
/// each secret. The same `Idempotency-Key` as the last rotation's answers with the secret that it made.
#[utoipa::path(post, path = "/api/v1/webhook-endpoints/{id}:rotate-secret", tag = "Webhooks",
    operation_id = "rotateWebhookEndpointSecret",
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id"), KeyHeaderParam),
    responses((status = 200, description = "The endpoint, with its new secret", body = EndpointView,
        headers(("Idempotent-Replayed" = String, description = "`true` if the last rotation had this key"))),
        UpdateRefusals))]
async fn rotate_secret(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
    key: KeyHeader,
) -> Result<Created<EndpointView>, Error> {
    let (keys, retry) = (&app.config.webhooks.keys, key.or(None)?);
    let kept = KeptSecret::seal(&SigningSecret::random(), keys, &account.id)?;
    let recorded = app
        .db
        .write(move |conn, now| {
            let recorded = rotate(conn, &account.id, &id.0, &kept, retry.as_ref(), now)?;
            note_if_new(conn, &recorded, |_| {
                let action = Action::WebhookEndpointSecretRotated;
                Act::new(&account.id, Some(&account.key), action, id.0.as_str(), now)
            })?;
            Ok(recorded)
        })
        .await?;
    let (Recorded::New(endpoint) | Recorded::Replayed(endpoint)) = &recorded;
    let secret = endpoint.secret.open(keys, &endpoint.account_id)?;
    Ok(Created::new(recorded, |endpoint| {
        EndpointView::with_secret(endpoint, &secret)
    }))
}

/// Deliver events again
///
/// The endpoint is set back, and gets everything from there on again, in order, under the same ids, before anything new.
#[utoipa::path(post, path = "/api/v1/webhook-endpoints/{id}:replay", tag = "Webhooks",
    operation_id = "replayWebhookEndpoint",
    request_body = ReplayEvents,
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id")),
    responses((status = 200, description = "The endpoint as it is now", body = EndpointView), UpdateRefusals))]
async fn replay(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
    body: Result<Body<ReplayEvents>, Error>,
) -> Result<web::Json<EndpointView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let complaint = |code, text| Err(Error::field("from", Complaint::new(code, text)));
    let start = match (body.from, body.after) {
        (Some(from), None) => {
            Error::unless_in_order(Some(from), body.to).map(|()| Start::From(from))
        }
        (None, Some(after)) => Ok(Start::After(after)),
        (None, None) => complaint("missing", "or after must be given"),
        (Some(_), Some(_)) => complaint("contradiction", "must not be given together with after"),
    };
    let start = match start {
        Ok(start) => start,
        Err(complaint) => {
            id.find(&app, &account, queries::find).await?;
            return Err(complaint);
        }
    };
    let endpoint = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = set_back(conn, &account.id, &id.0, &start, body.to, now)?;
            let action = Action::WebhookEndpointReplayed;
            let act = Act::new(&account.id, Some(&account.key), action, id.0.as_str(), now);
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    Ok(web::Json(endpoint.into()))
}

/// Send a test
///
/// Sends a signed `webhook.test` now, enabled or not, and answers what came of it. It is tried once.
#[utoipa::path(post, path = "/api/v1/webhook-endpoints/{id}:test", tag = "Webhooks", operation_id = "testWebhookEndpoint",
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id")),
    responses((status = 200, description = "What came of it", body = TestView), ShowRefusals))]
async fn test(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
) -> Result<web::Json<TestView>, Error> {
    let endpoint = id.find(&app, &account, queries::find).await?;
    let now = app.clock.now();
    let message = Message::test(endpoint.dialect, &endpoint.id, now);
    let secrets = endpoint.secrets(&app.config.webhooks.keys, now)?;
    let attempt = app
        .webhooks
        .send(&endpoint.url, &secrets, &message, now)
        .await?;
    Ok(web::Json(TestView::of(message.id, attempt)))
}
