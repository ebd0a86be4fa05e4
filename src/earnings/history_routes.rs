//! `/api/v1/earnings/{id}/history`: who moved an earning's status, when, from where to where, and why.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::model::{EarningMove, EarningStatus};
use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::{ApiKeyId, EarningId};
use crate::text::Paragraph;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/earnings/{id}/history").route(web::get().to(history)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(history))]
pub struct Docs;

/// One move of an earning's status.
#[derive(Serialize, ToSchema)]
#[schema(as = EarningMove)]
pub struct EarningMoveView {
    /// From where.
    pub from: EarningStatus,
    /// To where.
    pub to: EarningStatus,
    /// When.
    pub at: Timestamp,
    /// With which API key; null: handbill itself, because nothing was left to pay or a payout was due.
    #[schema(required)]
    pub by: Option<ApiKeyId>,
    /// Why, if somebody said so.
    #[schema(required)]
    pub note: Option<Paragraph>,
}

/// Every move of an earning's status, first to last.
#[derive(Serialize, ToSchema)]
pub struct EarningHistory {
    /// The moves.
    pub history: Vec<EarningMoveView>,
}

impl From<EarningMove> for EarningMoveView {
    fn from(step: EarningMove) -> Self {
        Self {
            from: step.from_status,
            to: step.to_status,
            at: step.moved_at,
            by: step.moved_by,
            note: step.note,
        }
    }
}

/// Get an earning's history
#[utoipa::path(get, path = "/api/v1/earnings/{id}/history", tag = "Earnings", operation_id = "getEarningHistory",
    params(("id" = EarningId, Path, description = "The earning's id")),
    responses((status = 200, description = "Every move of its status", body = EarningHistory), ShowRefusals))]
async fn history(
    app: web::Data<App>,
    account: Caller,
    id: PathId<EarningId>,
) -> Result<web::Json<EarningHistory>, Error> {
    id.find(&app, &account, queries::find).await?;
    let moves = app
        .db
        .read(move |conn| Ok(queries::list_moves(conn, &account.id, &id.0)?))
        .await?;
    Ok(web::Json(EarningHistory {
        history: moves.into_iter().map(EarningMoveView::from).collect(),
    }))
}
