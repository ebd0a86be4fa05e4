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
    /// Scans that are kept in this process's journal until the database takes them.
    #[schema(nullable = false, example = 0)]
    #[serde(skip_serializing_if = "Option::is_none")]
    scans_in_journal: Option<u64>,
}

/// Whether the process runs
///
/// Says nothing about the database.
#[utoipa::path(get, path = "/healthz", tag = "Operations", operation_id = "healthz", security(()),
    responses((status = 200, description = "The process runs", body = Health)))]
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Health {
        status: "ok",
        scans_in_journal: None,
    })
}

/// Whether requests can be served
///
/// The database answers and takes writes. While it does not, phones at posters are still sent on, and their scans
/// are kept in a journal.
#[utoipa::path(get, path = "/readyz", tag = "Operations", operation_id = "readyz", security(()),
    responses(
        (status = 200, description = "Requests can be served", body = Health),
        (status = 503, description = "The database does not answer", body = Health),
    ))]
async fn ready(app: web::Data<App>) -> HttpResponse {
    let scans_in_journal = Some(app.journal.waiting());
    match !app.journal.is_in_use() && app.db.is_alive().await {
        true => HttpResponse::Ok().json(Health {
            status: "ok",
            scans_in_journal,
        }),
        false => HttpResponse::ServiceUnavailable().json(Health {
            status: "unavailable",
            scans_in_journal,
        }),
    }
}
