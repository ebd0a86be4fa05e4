//! `/api/v1/webhook-endpoints`: the contract.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

use super::create::create as make;
use super::edit::edit;
use super::model::{Dialect, EndpointChanges, EventTypes, NewEndpoint};
use super::queries;
use super::secret::{KeptSecret, SigningSecret};
use super::view::{EndpointView, WebhookEndpointList};
use crate::acts::model::{Act, Action};
use crate::acts::note::{note, note_if_changed, note_if_new};
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Created, Listing};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{FieldValue, Fields, FromFields, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Recorded, Retry, fingerprint};
use crate::ids::{Id, WebhookEndpointId};
use crate::parse::Complaint;
use crate::text::{IdempotencyKey, Paragraph, WebUrl};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/webhook-endpoints")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/webhook-endpoints/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update))
                .route(web::delete().to(delete)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update, delete))]
pub struct Docs;

/// Which endpoints: all of them.
pub struct EndpointFilter;

impl FromFields for EndpointFilter {
    fn from_fields(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

narrow!(EndpointFilter: never);

impl Filter for EndpointFilter {
    type Id = WebhookEndpointId;
}

impl FieldValue for EventTypes {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        let types: Option<Vec<String>> = serde_json::from_value(value).ok();
        Self::new(&types.ok_or_else(|| Complaint::wrong_type("an array of strings"))?)
    }
}

fields! {
    /// A new endpoint.
    #[derive(ToSchema)]
    #[schema(example = json!({"url": "https://example.com/hooks/handbill", "types": ["referral.*"]}))]
    pub struct CreateWebhookEndpoint {
        /// Where to: `https://`, at a public address.
        pub url: WebUrl,
        /// The types of events it wants, `referral.*` for all about referrals; all when left out.
        #[schema(value_type = Option<Vec<String>>, min_items = 1)]
        pub types: Option<EventTypes>,
        /// For people, at most 2,000 characters.
        pub description: Option<Paragraph>,
        /// Whether anything is sent from the start; true when left out.
        pub enabled: Option<bool>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `description`, and makes `types` all.
    #[derive(ToSchema)]
    pub struct UpdateWebhookEndpoint {
        /// Another address.
        pub url: Option<WebUrl>,
        /// Other types, or null for all.
        #[schema(value_type = Option<Vec<String>>, min_items = 1)]
        pub types: Option<Option<EventTypes>>,
        /// Another description, or null for none.
        #[schema(value_type = Option<Paragraph>)]
        pub description: Option<Option<Paragraph>>,
        /// On or off. What happens while it is off is delivered when it is on again.
        pub enabled: Option<bool>,
    }
}

/// List webhook endpoints
#[utoipa::path(get, path = "/api/v1/webhook-endpoints", tag = "Webhooks", operation_id = "listWebhookEndpoints",
    params(PageParams),
    responses((status = 200, description = "A page of endpoints", body = WebhookEndpointList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<EndpointFilter>,
) -> Result<Listing<WebhookEndpointList>, Error> {
    // Endpoints are deleted, so a place in the list does not stay.
    let rows = move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, page);
    answer::list(&app, &request, query.page, None, rows, EndpointView::from).await
}

/// Create a webhook endpoint
///
/// It gets every event from now on, in order and at least once, signed as Standard Webhooks says. The answer has the
/// secret in it, which is not shown again.
#[utoipa::path(post, path = "/api/v1/webhook-endpoints", tag = "Webhooks", operation_id = "createWebhookEndpoint",
    request_body = CreateWebhookEndpoint,
    params(KeyHeaderParam),
    responses((status = 200, description = "The endpoint, with its secret", body = EndpointView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateWebhookEndpoint>,
) -> Result<Created<EndpointView>, Error> {
    let Body(body) = body;
    acceptable(&app, &body.url)?;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[body.url.as_str()]),
        key,
    });
    let keys = &app.config.webhooks.keys;
    let new = NewEndpoint {
        url: body.url,
        dialect: Dialect::Handbill,
        types: body.types,
        description: body.description,
        enabled: body.enabled.unwrap_or(true),
        secret: KeptSecret::seal(&SigningSecret::random(), keys, &account.id)?,
        retry,
    };
    let recorded = app
        .db
        .write(move |conn, now| {
            let recorded = make(conn, &account.id, &new, now)?;
            note_if_new(conn, &recorded, |new| {
                Act::new(
                    &account.id,
                    Some(&account.key),
                    Action::WebhookEndpointCreated,
                    new.id.as_str(),
                    now,
                )
            })?;
            Ok(recorded)
        })
        .await?;
    // Who lost the answer gets the secret that the first request made.
    let (Recorded::New(endpoint) | Recorded::Replayed(endpoint)) = &recorded;
    let secret = endpoint.secret.open(keys, &endpoint.account_id)?;
    Ok(Created::new(recorded, |endpoint| {
        EndpointView::with_secret(endpoint, &secret)
    }))
}

/// What is sent is personal, so nobody on the way may read it; and it goes to public addresses. Where a name leads is
/// known when something is sent.
pub(crate) fn acceptable(app: &App, url: &WebUrl) -> Result<(), Error> {
    let is_safe = url.to_url().is_some_and(|url| url.scheme() == "https");
    let complaint = if !(is_safe || app.config.webhooks.allow_http) {
        Complaint::new("https_required", "must begin with https://")
    } else if app.webhooks.refuses(url) {
        Complaint::new("not_public", "must lead to a public address")
    } else {
        return Ok(());
    };
    Err(Error::field("url", complaint))
}

/// Get a webhook endpoint
#[utoipa::path(get, path = "/api/v1/webhook-endpoints/{id}", tag = "Webhooks", operation_id = "getWebhookEndpoint",
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id")),
    responses((status = 200, description = "The endpoint", body = EndpointView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
) -> Result<web::Json<EndpointView>, Error> {
    let endpoint = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(endpoint.into()))
}

/// Update a webhook endpoint
#[utoipa::path(put, path = "/api/v1/webhook-endpoints/{id}", tag = "Webhooks", operation_id = "updateWebhookEndpoint",
    request_body = UpdateWebhookEndpoint,
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id")),
    responses((status = 200, description = "The endpoint as it is now", body = EndpointView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
    body: Result<Body<UpdateWebhookEndpoint>, Error>,
) -> Result<web::Json<EndpointView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    if let Some(url) = &body.url {
        id.find(&app, &account, queries::find).await?;
        acceptable(&app, url)?;
    }
    let changes = EndpointChanges {
        url: body.url,
        types: body.types,
        description: body.description,
        enabled: body.enabled,
    };
    let endpoint = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = edit(conn, &account.id, &id.0, &changes, now)?;
            let act = Act::new(
                &account.id,
                Some(&account.key),
                Action::WebhookEndpointUpdated,
                id.0.as_str(),
                now,
            );
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    Ok(web::Json(endpoint.into()))
}

/// Delete a webhook endpoint
///
/// Nothing is sent any more, and what is known about its deliveries goes with it.
#[utoipa::path(delete, path = "/api/v1/webhook-endpoints/{id}", tag = "Webhooks", operation_id = "deleteWebhookEndpoint",
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id")),
    responses((status = 204, description = "It is gone"), ShowRefusals))]
async fn delete(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
) -> Result<HttpResponse, Error> {
    let work = move |conn: &mut DbConnection, now| {
        let deleted = queries::delete(conn, &account.id, &id.0)?;
        if deleted {
            let action = Action::WebhookEndpointDeleted;
            let act = Act::new(&account.id, Some(&account.key), action, id.0.as_str(), now);
            note(conn, &act)?;
        }
        Ok(deleted)
    };
    match app.db.write(work).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(Error::NotFound(WebhookEndpointId::NOUN)),
    }
}
