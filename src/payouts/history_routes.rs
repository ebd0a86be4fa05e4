//! `/api/v1/payouts/{id}/history`: who moved a payout's status, when, from where to where, and why.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::model::{PayoutMove, PayoutStatus};
use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::{ApiKeyId, PayoutId};
use crate::text::Paragraph;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/payouts/{id}/history").route(web::get().to(history)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(history))]
pub struct Docs;

/// One move of a payout's status.
#[derive(Serialize, ToSchema)]
#[schema(as = PayoutMove)]
pub struct PayoutMoveView {
    /// From where.
    pub from: PayoutStatus,
    /// To where.
    pub to: PayoutStatus,
    /// When.
    pub at: Timestamp,
    /// With which API key.
    pub by: ApiKeyId,
    /// Why, if somebody said so.
    #[schema(required)]
    pub note: Option<Paragraph>,
}

/// Every move of a payout's status, first to last.
#[derive(Serialize, ToSchema)]
pub struct PayoutHistory {
    /// The moves.
    pub history: Vec<PayoutMoveView>,
}

impl From<PayoutMove> for PayoutMoveView {
    fn from(step: PayoutMove) -> Self {
        Self {
            from: step.from_status,
            to: step.to_status,
            at: step.moved_at,
            by: step.moved_by,
            note: step.note,
        }
    }
}

/// Get a payout's history
#[utoipa::path(get, path = "/api/v1/payouts/{id}/history", tag = "Payouts", operation_id = "getPayoutHistory",
    params(("id" = PayoutId, Path, description = "The payout's id")),
    responses((status = 200, description = "Every move of its status", body = PayoutHistory), ShowRefusals))]
async fn history(
    app: web::Data<App>,
    account: Caller,
    id: PathId<PayoutId>,
) -> Result<web::Json<PayoutHistory>, Error> {
    id.find(&app, &account, queries::find).await?;
    let moves = app
        .db
        .read(move |conn| Ok(queries::list_moves(conn, &account.id, &id.0)?))
        .await?;
    Ok(web::Json(PayoutHistory {
        history: moves.into_iter().map(PayoutMoveView::from).collect(),
    }))
}
