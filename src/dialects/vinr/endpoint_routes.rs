//! `/v1/webhook-endpoints`: where what became of referrals is sent, in VINR's words and with its signature. What became of
//! each event there, and everything else about them, is at `/api/v1/webhook-endpoints`.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::endpoint_views::{Enabled, VinrDeleted, VinrEndpointStatus, VinrWebhookEndpoint, shown};
use super::endpoints::{self, Named};
use super::errors::{self, VinrRefusals, VinrWriteRefusals};
use super::page::{PageSize, Part, VinrList};
use crate::app::App;
use crate::db::DbConnection;
use crate::dialects::once::{Request, is_replay, once};
use crate::error::Error;
use crate::http::account::Account;
use crate::http::fields::fields;
use crate::http::form::{Asked, Sent};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::idempotency::fingerprint as of;
use crate::ids::WebhookEndpointId;
use crate::replies::model::Said;
use crate::text::WebUrl;
use crate::webhooks::message::Message;
use crate::webhooks::model::{Dialect, EndpointChanges, NewEndpoint};
use crate::webhooks::queries;
use crate::webhooks::routes::acceptable;
use crate::webhooks::secret::{KeptSecret, SigningSecret};

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
                .route(web::post().to(update))
                .route(web::delete().to(delete)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update, delete))]
pub struct Docs;

fields! {
    /// A new endpoint.
    #[derive(ToSchema)]
    #[schema(as = VinrCreateWebhookEndpoint)]
    pub struct CreateEndpoint {
        /// Where to: `https://`, at a public address.
        pub url: WebUrl,
        /// The types of events it wants; `*`, or left out: all. Also as `enabled_events[]`.
        #[schema(value_type = Option<Vec<String>>)]
        pub enabled_events: Option<Enabled>,
    }
}

fields! {
    /// What is to change; what is left out stays.
    #[derive(ToSchema)]
    #[schema(as = VinrUpdateWebhookEndpoint)]
    pub struct UpdateEndpoint {
        /// Another address.
        pub url: Option<WebUrl>,
        /// Other types.
        #[schema(value_type = Option<Vec<String>>)]
        pub enabled_events: Option<Enabled>,
        /// On or off.
        pub status: Option<VinrEndpointStatus>,
    }
}

fields! {
    /// Which endpoints, newest first.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListEndpoints {
        /// How many, 1 to 100; 10 when left out.
        #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
        pub limit: Option<PageSize>,
        /// The id of the last one seen: those made before it.
        pub starting_after: Option<String>,
        /// The id of the first one seen: those made after it.
        pub ending_before: Option<String>,
    }
}

/// Create a webhook endpoint
///
/// The answer has the secret in it, which is not shown again. A test event is sent at once.
#[utoipa::path(post, path = "/v1/webhook-endpoints", tag = "VINR", operation_id = "vinrCreateWebhookEndpoint",
    request_body(content((CreateEndpoint = "application/json"), (CreateEndpoint = "application/x-www-form-urlencoded"))),
    params(KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 201, description = "The endpoint, with its secret", body = VinrWebhookEndpoint), VinrWriteRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    sent: Sent<CreateEndpoint>,
) -> Result<HttpResponse, Error> {
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account: account.clone(),
        operation: "vinr create webhook endpoint",
        key: key.or(None)?,
        fingerprint,
        refusal: errors::said,
    };
    let secret = SigningSecret::random();
    let kept = KeptSecret::seal(&secret, &app.config.webhooks.keys, &account.id)?;
    let new = body.and_then(|body| {
        acceptable(&app, &body.url).map_err(|error| error.fields().to_vec())?;
        Ok(NewEndpoint {
            url: body.url,
            dialect: Dialect::Vinr,
            types: Some(body.enabled_events.unwrap_or_else(Enabled::all).ours()),
            description: None,
            enabled: true,
            secret: kept,
            retry: None,
        })
    });
    let url = new.as_ref().ok().map(|new| new.url.clone());
    let shown_secret = secret.clone();
    // What a write has made that did not come to its end does not count.
    let made = Arc::new(Mutex::new(None));
    let note = Arc::clone(&made);
    let answer = once(&app, asked, move |conn, account, now| {
        let new = new.as_ref().map_err(super::invalid)?;
        let endpoint = endpoints::create(conn, account, new, now)?;
        *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint.id.clone());
        let view = VinrWebhookEndpoint {
            secret: Some(shown_secret.as_str().to_owned()),
            ..endpoint.into()
        };
        Said::new(StatusCode::CREATED, &view)
    })
    .await?;
    let made = made.lock().unwrap_or_else(PoisonError::into_inner).take();
    let is_new = answer.status() == StatusCode::CREATED && !is_replay(&answer);
    if let (Some(url), Some(id), true) = (url, made, is_new) {
        try_out(&app, url, id, secret);
    }
    Ok(answer)
}

/// Sends a test without anybody waiting for what comes of it.
fn try_out(app: &web::Data<App>, url: WebUrl, id: WebhookEndpointId, secret: SigningSecret) {
    let app = app.clone();
    actix_web::rt::spawn(async move {
        let now = app.clock.now();
        let message = Message::test(Dialect::Vinr, &id, now);
        let attempt = app.webhooks.send(&url, &[secret], &message, now).await;
        if let Err(error) = attempt {
            log::warn!("a test could not be sent: {}", error.cause());
        }
    });
}

/// Update a webhook endpoint
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}", tag = "VINR", operation_id = "vinrUpdateWebhookEndpoint",
    request_body(content((UpdateEndpoint = "application/json"), (UpdateEndpoint = "application/x-www-form-urlencoded"))),
    params(("id" = String, Path, description = "The endpoint's id"), KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The endpoint as it is now", body = VinrWebhookEndpoint), VinrWriteRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    id: web::Path<String>,
    sent: Sent<UpdateEndpoint>,
) -> Result<HttpResponse, Error> {
    let named = Named::of(&id)?;
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account,
        operation: "vinr update webhook endpoint",
        key: key.or(None)?,
        fingerprint: of(&[named.0.as_str(), &fingerprint]),
        refusal: errors::said,
    };
    let changes = body.and_then(|body| {
        if let Some(url) = &body.url {
            acceptable(&app, url).map_err(|error| error.fields().to_vec())?;
        }
        Ok(EndpointChanges {
            url: body.url,
            types: body.enabled_events.map(|enabled| Some(enabled.ours())),
            description: None,
            enabled: body
                .status
                .map(|status| status == VinrEndpointStatus::Enabled),
        })
    });
    once(&app, asked, move |conn, account, now| {
        named.must_find(conn, &account.id)?;
        let changes = changes.as_ref().map_err(super::invalid)?;
        let endpoint = named.update(conn, account, changes, now)?;
        Said::new(StatusCode::OK, &VinrWebhookEndpoint::from(endpoint))
    })
    .await
}

/// Retrieve a webhook endpoint
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", tag = "VINR", operation_id = "vinrGetWebhookEndpoint",
    params(("id" = String, Path, description = "The endpoint's id")),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The endpoint", body = VinrWebhookEndpoint), VinrRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: web::Path<String>,
) -> Result<web::Json<VinrWebhookEndpoint>, Error> {
    let named = Named::of(&id)?;
    let look = move |conn: &mut DbConnection| named.must_find(conn, &account.id);
    Ok(web::Json(app.db.read(look).await?.into()))
}

/// Delete a webhook endpoint
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", tag = "VINR", operation_id = "vinrDeleteWebhookEndpoint",
    params(("id" = String, Path, description = "The endpoint's id")),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "It is gone", body = VinrDeleted), VinrRefusals))]
async fn delete(
    app: web::Data<App>,
    account: Account,
    id: web::Path<String>,
) -> Result<web::Json<VinrDeleted>, Error> {
    let named = Named::of(&id)?;
    let work = move |conn: &mut DbConnection, now| {
        named.delete(conn, &account, now)?;
        Ok(VinrDeleted {
            id: shown(&named.0),
            deleted: true,
        })
    };
    Ok(web::Json(app.db.write(work).await?))
}

/// List webhook endpoints
#[utoipa::path(get, path = "/v1/webhook-endpoints", tag = "VINR", operation_id = "vinrListWebhookEndpoints",
    params(ListEndpoints),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The endpoints, newest first", body = VinrList<VinrWebhookEndpoint>), VinrRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    query: Asked<ListEndpoints>,
) -> Result<web::Json<VinrList<VinrWebhookEndpoint>>, Error> {
    let Asked(query) = query;
    let mut part = Part::new(query.limit, query.starting_after, query.ending_before)?;
    let load = move |conn: &mut DbConnection| {
        if let Some(cursor) = part.page.after.take() {
            let named = Named::of(&cursor.into()).map_err(|_| part.no_such_cursor())?;
            let found = named.find(conn, &account.id)?;
            found.ok_or_else(|| part.no_such_cursor())?;
            part.page.after = Some(named.0.as_str().to_owned());
        }
        let rows = queries::list_speaking(conn, &account.id, Dialect::Vinr, &part.page)?;
        let (rows, has_more) = part.list(rows);
        let data = rows.into_iter().map(VinrWebhookEndpoint::from).collect();
        Ok(VinrList::of(data, has_more))
    };
    Ok(web::Json(app.db.read(load).await?))
}
