//! `/api/v1/earnings/{id}/explain`: why an earning is what it is.

use actix_web::web;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToSchema};

use super::explain::{Event, Known, explain};
use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::{Caller, Sees};
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::{EarningId, Id};
use crate::{conversions, ledger};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/earnings/{id}/explain").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

/// One thing that happened to an earning.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplanationStep)]
pub struct ExplanationStep {
    /// When.
    pub at: Timestamp,
    /// Stable and snake_case, for programs: `reported`, `conversion`, `rule_…`, `commission`, `bonus`,
    /// `reinstatement`, `hold`, a transfer's reason, `status` or `replaced`.
    #[schema(example = "released")]
    pub what: String,
    /// A sentence, for people.
    #[schema(example = "5.50 USD can be paid out")]
    pub text: String,
    /// What the sentence says, for programs.
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
}

impl From<Event> for ExplanationStep {
    fn from(event: Event) -> Self {
        Self {
            at: event.at,
            what: event.what,
            text: event.text,
            data: event.data,
        }
    }
}

/// Why an earning is what it is.
#[derive(Serialize, ToSchema)]
pub struct Explanation {
    /// The earning.
    pub earning_id: EarningId,
    /// What the ambassador has earned by it after all that was taken back, in minor units.
    pub standing: i64,
    /// What happened, in order.
    pub steps: Vec<ExplanationStep>,
}

/// Explain an earning
///
/// Where it came from, how it was computed, its hold, and everything that happened to its money and its status since.
#[utoipa::path(get, path = "/api/v1/earnings/{id}/explain", tag = "Earnings", operation_id = "explainEarning",
    params(("id" = EarningId, Path, description = "The earning's id")),
    responses((status = 200, description = "Its story, in words and in data", body = Explanation), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<EarningId>,
) -> Result<web::Json<Explanation>, Error> {
    let known = app
        .db
        .read_consistently(move |conn| all_that_is_known(conn, &account, &id.0))
        .await?;
    let steps = explain(&known);
    Ok(web::Json(Explanation {
        standing: known.earning.standing(),
        earning_id: known.earning.id,
        steps: steps.into_iter().map(ExplanationStep::from).collect(),
    }))
}

fn all_that_is_known(
    conn: &mut DbConnection,
    caller: &Caller,
    id: &EarningId,
) -> Result<Known, Error> {
    let account = &caller.id;
    let earning = queries::find(conn, account, id)?
        .filter(|earning| caller.sees(earning))
        .ok_or(Error::NotFound(EarningId::NOUN))?;
    let conversion = match &earning.conversion_id {
        Some(conversion) => conversions::queries::find(conn, account, conversion)?,
        None => None,
    };
    let replacement = match &earning.replaced_by {
        Some(replacement) => queries::find(conn, account, replacement)?,
        None => None,
    };
    Ok(Known {
        conversion,
        replacement,
        in_place_of: queries::find_replaced(conn, &earning)?,
        transfers: ledger::queries::list_of_earning(conn, account, id)?,
        moves: queries::list_moves(conn, account, id)?,
        earning,
    })
}
