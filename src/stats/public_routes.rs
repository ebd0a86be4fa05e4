//! `/api/v1/public/users/{id}/counts`: how much an ambassador has brought about, for web pages. No name, no address.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::model::StatsFilter;
use super::queries;
use super::routes::Counts;
use crate::ambassadors;
use crate::app::App;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::{AmbassadorId, ProgramId, Wanted};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/users/{id}/counts").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

/// How much an ambassador has brought about, since the beginning.
#[derive(Serialize, ToSchema)]
pub struct PublicCounts {
    /// The ambassador.
    pub student_id: AmbassadorId,
    /// The program promoted.
    pub program_id: ProgramId,
    /// The counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Get an ambassador's counts
///
/// For web pages: with a publishable key, from the origins that the server allows. Nothing in it is personal.
#[utoipa::path(get, path = "/api/v1/public/users/{id}/counts", tag = "Public", operation_id = "getPublicCounts",
    params(("id" = AmbassadorId, Path, description = "The ambassador's id")),
    responses((status = 200, description = "The counts", body = PublicCounts), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<AmbassadorId>,
) -> Result<web::Json<PublicCounts>, Error> {
    let ambassador = id.find(&app, &account, ambassadors::queries::find).await?;
    let filter = StatsFilter {
        program_id: None,
        poster_id: None,
        ambassador_id: Some(Wanted(Some(ambassador.id.clone()))),
        from: i64::MIN,
        to: i64::MAX,
    };
    let load = move |conn: &mut DbConnection| Ok(queries::by_day(conn, &account.id, &filter)?);
    let mut counts = Counts::default();
    for row in app.db.read_at_length(load).await? {
        counts.add(&row);
    }
    Ok(web::Json(PublicCounts {
        student_id: ambassador.id,
        program_id: ambassador.program_id,
        counts,
    }))
}
