//! `/api/v1/public/programs`: what everybody may see of a program, for web pages.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::model::{Program, ProgramStatus};
use super::queries;
use crate::app::App;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::ProgramId;
use crate::text::{Name, Paragraph, WebUrl};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/programs/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

/// A program's public face.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "prog_123abc", "name": "Campus launch", "description": null, "landing_url": "https://example.com/join",
    "status": "active"
}))]
pub struct PublicProgram {
    /// `prog_…`
    pub id: ProgramId,
    /// What it is called.
    pub name: Name,
    /// What it is about.
    #[schema(required)]
    pub description: Option<Paragraph>,
    /// Where a scan leads.
    pub landing_url: WebUrl,
    /// Whether it recruits.
    pub status: ProgramStatus,
}

impl From<Program> for PublicProgram {
    fn from(program: Program) -> Self {
        Self {
            id: program.id,
            name: program.name,
            description: program.description,
            landing_url: program.landing_url,
            status: program.status,
        }
    }
}

/// Get a program's public face
///
/// For web pages: with a publishable key, from the origins that the server allows.
#[utoipa::path(get, path = "/api/v1/public/programs/{id}", tag = "Public", operation_id = "getPublicProgram",
    params(("id" = ProgramId, Path, description = "The program's id")),
    responses((status = 200, description = "What everybody may see of it", body = PublicProgram), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ProgramId>,
) -> Result<web::Json<PublicProgram>, Error> {
    let program = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(program.into()))
}
