//! For whoever runs the server: is it alive, can it work.

use std::path::Path;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use futures_util::future::join;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::app::App;

/// With less than this the next write may be the one that does not fit.
const LEAST_DISK: u64 = 32 << 20;

/// How long the database may take to show that it answers and takes writes.
const PATIENCE: Duration = Duration::from_secs(2);

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

/// That the process runs.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// `ok`
    #[schema(example = "ok")]
    status: &'static str,
}

/// How the server is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The database and its version; null: it does not answer.
    #[schema(required, example = "SQLite 3.53.2")]
    database: Option<String>,
    /// Whether the database is the one that this handbill knows.
    migrated: bool,
    /// Whether it takes writes: one that changes nothing went through within two seconds.
    writable: bool,
    /// What is free where the database is (on PostgreSQL, where the journal is); null: nobody knows.
    #[schema(required, example = 51200)]
    disk_free_megabytes: Option<u64>,
    /// Scans that are kept in this process's journal until the database takes them.
    #[schema(example = 0)]
    scans_in_journal: u64,
    /// Whether the journal could take a scan when it was last needed. If not, a scan that the database does not take is
    /// refused.
    journal_works: bool,
}

/// Whether the process runs
///
/// Says nothing about the database.
#[utoipa::path(get, path = "/healthz", tag = "Operations", operation_id = "healthz", security(()),
    responses((status = 200, description = "The process runs", body = Alive)))]
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: "ok" })
}

/// Whether requests can be served
///
/// The database answers, is up to date and takes writes, and there is room on the disk. While that is not so, phones at
/// posters are still sent on, and their scans are kept in a journal.
#[utoipa::path(get, path = "/readyz", tag = "Operations", operation_id = "readyz", security(()),
    responses(
        (status = 200, description = "Requests can be served", body = Health),
        (status = 503, description = "They cannot; the fields say why", body = Health),
    ))]
async fn ready(app: web::Data<App>) -> HttpResponse {
    let about = tokio::time::timeout(PATIENCE, app.db.about());
    let (about, takes_writes) = join(about, app.db.takes_writes(PATIENCE)).await;
    let about = about.ok().and_then(Result::ok);
    let free = disk_free(&app);
    let is_ready = takes_writes
        && !app.journal.is_in_use()
        && about.as_ref().is_some_and(|about| about.is_migrated)
        && free.is_none_or(|free| free >= LEAST_DISK);
    let health = Health {
        status: if is_ready { "ok" } else { "unavailable" },
        migrated: about.as_ref().is_some_and(|about| about.is_migrated),
        database: about.map(|about| about.name),
        disk_free_megabytes: free.map(|bytes| bytes >> 20),
        writable: takes_writes,
        scans_in_journal: app.journal.waiting(),
        journal_works: !app.journal.is_broken(),
    };
    match is_ready {
        true => HttpResponse::Ok().json(health),
        false => HttpResponse::ServiceUnavailable().json(health),
    }
}

/// The bytes that are free where this process writes.
pub(super) fn disk_free(app: &App) -> Option<u64> {
    let path = app.config.disk();
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let disk = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
