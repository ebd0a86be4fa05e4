//! `/api/v1/referrals/{id}/history`: who moved a referral's status, when, from where to where, and why.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::model::{ReferralMove, ReferralStatus};
use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::{ApiKeyId, ReferralId};
use crate::text::Paragraph;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/referrals/{id}/history").route(web::get().to(history)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(history))]
pub struct Docs;

/// One move of a referral's status.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralMove)]
pub struct ReferralMoveView {
    /// From where.
    pub from: ReferralStatus,
    /// To where.
    pub to: ReferralStatus,
    /// When.
    pub at: Timestamp,
    /// With which API key.
    pub by: ApiKeyId,
    /// Why, if somebody said so.
    #[schema(required)]
    pub note: Option<Paragraph>,
}

/// Every move of a referral's status, first to last.
#[derive(Serialize, ToSchema)]
pub struct ReferralHistory {
    /// The moves.
    pub history: Vec<ReferralMoveView>,
}

impl From<ReferralMove> for ReferralMoveView {
    fn from(step: ReferralMove) -> Self {
        Self {
            from: step.from_status,
            to: step.to_status,
            at: step.moved_at,
            by: step.moved_by,
            note: step.note,
        }
    }
}

/// Get a referral's history
#[utoipa::path(get, path = "/api/v1/referrals/{id}/history", tag = "Referrals", operation_id = "getReferralHistory",
    params(("id" = ReferralId, Path, description = "The referral's id")),
    responses((status = 200, description = "Every move of its status", body = ReferralHistory), ShowRefusals))]
async fn history(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ReferralId>,
) -> Result<web::Json<ReferralHistory>, Error> {
    id.find(&app, &account, queries::find).await?;
    let moves = app
        .db
        .read(move |conn| Ok(queries::list_moves(conn, &account.id, &id.0)?))
        .await?;
    Ok(web::Json(ReferralHistory {
        history: moves.into_iter().map(ReferralMoveView::from).collect(),
    }))
}
