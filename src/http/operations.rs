//! For whoever runs the server: is it alive, can it work.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::app::App;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/healthz").route(web::get().to(alive)))
        .service(web::resource("/readyz").route(web::get().to(ready)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(alive, ready))]
pub struct Docs;

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process runs
///
/// Says nothing about the database.
#[utoipa::path(get, path = "/healthz", tag = "Operations", operation_id = "healthz", security(()),
    responses((status = 200, description = "The process runs", body = Health)))]
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Whether requests can be served
///
/// The database answers.
#[utoipa::path(get, path = "/readyz", tag = "Operations", operation_id = "readyz", security(()),
    responses(
        (status = 200, description = "Requests can be served", body = Health),
        (status = 503, description = "The database does not answer", body = Health),
    ))]
async fn ready(app: web::Data<App>) -> HttpResponse {
    match app.db.is_alive().await {
        true => HttpResponse::Ok().json(Health { status: "ok" }),
        false => HttpResponse::ServiceUnavailable().json(Health {
            status: "unavailable",
        }),
    }
}
