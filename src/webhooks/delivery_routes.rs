//! `/api/v1/webhook-endpoints/{id}/deliveries`: what became of the events, and one of them once more.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi};

use super::book::Tried;
use super::delivery_view::{DeliveryList, DeliveryView};
use super::message::Message;
use super::model::DeliveryStatus;
use super::retry::retry as note;
use super::{delivery_queries, queries};
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::events::queries::find as find_event;
use crate::http::account::Account;
use crate::http::answer::{self, Listing};
use crate::http::fields::fields;
use crate::http::openapi::{PartsRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{EventId, Id, WebhookEndpointId};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/webhook-endpoints/{id}/deliveries").route(web::get().to(list)))
        .service(
            web::resource("/webhook-endpoints/{id}/deliveries/{event_id}:retry")
                .route(web::post().to(retry)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, retry))]
pub struct Docs;

fields! {
    /// Which deliveries.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct DeliveryFilter {
        /// Only those that stand there.
        pub status: Option<DeliveryStatus>,
    }
}

narrow!(DeliveryFilter: never);

impl Filter for DeliveryFilter {
    type Id = EventId;
}

/// List an endpoint's deliveries
///
/// One for each event that was tried, with the last attempt.
#[utoipa::path(get, path = "/api/v1/webhook-endpoints/{id}/deliveries", tag = "Webhooks",
    operation_id = "listWebhookDeliveries",
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id"), DeliveryFilter, PageParams),
    responses((status = 200, description = "A page of deliveries", body = DeliveryList), PartsRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    id: PathId<WebhookEndpointId>,
    query: Result<ListQuery<DeliveryFilter>, Error>,
) -> Result<Listing<DeliveryList>, Error> {
    id.find(&app, &account, queries::find).await?;
    let ListQuery { filter, page } = query?;
    let rows = move |conn: &mut DbConnection, page: &Page| {
        delivery_queries::list(conn, &account.id, &id.0, filter.status, page)
    };
    answer::list(&app, &request, page, None, rows, DeliveryView::from).await
}

/// Deliver an event once more
///
/// Now, out of order, and under the same id; what was delivered before stays `delivered` whatever comes of it.
#[utoipa::path(post, path = "/api/v1/webhook-endpoints/{id}/deliveries/{event_id}:retry", tag = "Webhooks",
    operation_id = "retryWebhookDelivery",
    params(("id" = WebhookEndpointId, Path, description = "The endpoint's id"),
        ("event_id" = EventId, Path, description = "The event's id")),
    responses((status = 200, description = "The delivery as it is now", body = DeliveryView), ShowRefusals))]
async fn retry(
    app: web::Data<App>,
    account: Account,
    id: PathId<WebhookEndpointId>,
    path: web::Path<(String, String)>,
) -> Result<web::Json<DeliveryView>, Error> {
    let endpoint = id.find(&app, &account, queries::find).await?;
    let none = || Error::NotFound("Delivery");
    let event = EventId::from_outside(&path.1).ok_or_else(none)?;
    let (owner, of) = (account.id, endpoint.id.clone());
    let find = move |conn: &mut DbConnection| {
        let tried = delivery_queries::find(conn, &owner, &of, &event)?;
        let found = find_event(conn, &owner, &event)?;
        Ok(tried.and(found))
    };
    let event = app.db.read(find).await?.ok_or_else(none)?;
    let now = app.clock.now();
    let (message, secrets) = (
        Message::of(endpoint.dialect, &event),
        endpoint.secrets(&app.config.webhooks.keys, now)?,
    );
    let attempt = app
        .webhooks
        .send(&endpoint.url, &secrets, &message, now)
        .await?;
    let tried = Tried { event, attempt };
    let work = move |conn: &mut DbConnection, now| note(conn, &account.id, &id.0, &tried, now);
    Ok(web::Json(app.db.write(work).await?.into()))
}
