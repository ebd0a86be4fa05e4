//! `/api/v1/payouts`: the contract. Ours, in the style of the published operations.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{PayoutChanges, PayoutFilter, PayoutItem, PayoutStatus};
use super::queries;
use super::settle::settle;
use super::view::PayoutView;
use crate::acts::model::{Act, Action};
use crate::acts::note::note_if_changed;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::{Account, Caller};
use crate::http::answer::{self, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{SentMetadata, fields};
use crate::http::openapi::{ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{AmbassadorId, CollectionId, EarningId, PayoutId, ProgramId, Wanted};
use crate::text::{Line, Paragraph};

/// The routes. `/payouts/collections` comes before them: to `/payouts/{id}` it looks like an id.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/payouts").route(web::get().to(list)))
        .service(
            web::resource("/payouts/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update)),
        )
        .service(web::resource("/payouts/{id}/earnings").route(web::get().to(items)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, show, update, items))]
pub struct Docs;

fields! {
    /// Which payouts. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct PayoutQuery {
        /// Only this program's (also spelt `programId`).
        #[param(value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "program_id" | "programId": Option<Wanted<ProgramId>>,
        /// Only this ambassador's (also spelt `studentId`).
        #[param(value_type = Option<String>, example = "user_123abc")]
        pub student_id = "student_id" | "studentId": Option<Wanted<AmbassadorId>>,
        /// Only this collection's (also spelt `collectionId`).
        #[param(value_type = Option<String>, example = "coll_0h5m8k2q9sx7v3n1b6tz")]
        pub collection_id = "collection_id" | "collectionId": Option<Wanted<CollectionId>>,
        /// Only those that stand there.
        pub status: Option<PayoutStatus>,
    }
}

narrow!(PayoutQuery);

impl Filter for PayoutQuery {
    type Id = PayoutId;
}

impl From<PayoutQuery> for PayoutFilter {
    fn from(query: PayoutQuery) -> Self {
        Self {
            program_id: query.program_id,
            ambassador_id: query.student_id,
            collection_id: query.collection_id,
            status: query.status,
        }
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `reference_id` and `failure_reason`.
    #[derive(ToSchema)]
    #[schema(example = json!({"status": "paid", "reference_id": "transfer_8731"}))]
    pub struct UpdatePayout {
        /// processing → paid, failed, cancelled. The same again changes nothing. What failed or was cancelled is
        /// paid by the next collection.
        pub status: Option<PayoutStatus>,
        /// The bank's or the provider's, or null for none. The payout's earnings take it on when it is paid.
        #[schema(value_type = Option<Line>)]
        pub reference_id: Option<Option<Line>>,
        /// Why it did not arrive, or null for none.
        #[schema(value_type = Option<Paragraph>)]
        pub failure_reason: Option<Option<Paragraph>>,
        /// Keys to set; a key with null is removed.
        pub metadata: Option<SentMetadata>,
        /// Why the status moves; kept in the history.
        pub note: Option<Paragraph>,
    }
}

list_of! {
    /// A page of payouts.
    pub struct PayoutList {
        /// The payouts, oldest first.
        pub payouts: Vec<PayoutView>
    }
}

/// What of an earning a payout pays.
#[derive(Serialize, ToSchema)]
pub struct PayoutEarning {
    /// The earning.
    pub earning_id: EarningId,
    /// How much of it, in minor units of the payout's currency.
    pub amount: i64,
}

/// What a payout is made of: at most 1,000 earnings, which add up to its amount.
#[derive(Serialize, ToSchema)]
pub struct PayoutEarnings {
    /// The earnings, oldest first.
    pub earnings: Vec<PayoutEarning>,
}

impl From<PayoutItem> for PayoutEarning {
    fn from(item: PayoutItem) -> Self {
        Self {
            earning_id: item.earning_id,
            amount: item.amount,
        }
    }
}

/// List payouts
#[utoipa::path(get, path = "/api/v1/payouts", tag = "Payouts", operation_id = "listPayouts",
    params(PayoutQuery, PageParams),
    responses((status = 200, description = "A page of payouts", body = PayoutList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<PayoutQuery>,
) -> Result<Listing<PayoutList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = PayoutFilter::from(filter);
    // Statuses change.
    let stable = filter
        .status
        .is_none()
        .then(|| format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, PayoutView::from).await
}

/// Get a payout
#[utoipa::path(get, path = "/api/v1/payouts/{id}", tag = "Payouts", operation_id = "getPayout",
    params(("id" = PayoutId, Path, description = "The payout's id")),
    responses((status = 200, description = "The payout", body = PayoutView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<PayoutId>,
) -> Result<web::Json<PayoutView>, Error> {
    let payout = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(payout.into()))
}

/// Say what became of a payout
///
/// A paid payout's earnings are paid; a failed or cancelled payout's earnings are failed, and the next collection pays
/// them.
#[utoipa::path(put, path = "/api/v1/payouts/{id}", tag = "Payouts", operation_id = "updatePayout",
    request_body = UpdatePayout,
    params(("id" = PayoutId, Path, description = "The payout's id")),
    responses((status = 200, description = "The payout as it is now", body = PayoutView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    id: PathId<PayoutId>,
    body: Result<Body<UpdatePayout>, Error>,
) -> Result<web::Json<PayoutView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = PayoutChanges {
        status: body.status,
        reference_id: body.reference_id,
        failure_reason: body.failure_reason,
        metadata: SentMetadata::change(body.metadata, app.config.metadata_update),
        note: body.note,
    };
    let payout = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = settle(conn, &account.id, &account.key, &id.0, &changes, now)?;
            let act = Act::new(
                &account.id,
                Some(&account.key),
                Action::PayoutUpdated,
                id.0.as_str(),
                now,
            )
            .saying(&json!({ "status": after.status }));
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    Ok(web::Json(payout.into()))
}

/// Get what a payout is made of
#[utoipa::path(get, path = "/api/v1/payouts/{id}/earnings", tag = "Payouts", operation_id = "getPayoutEarnings",
    params(("id" = PayoutId, Path, description = "The payout's id")),
    responses((status = 200, description = "Its earnings", body = PayoutEarnings), ShowRefusals))]
async fn items(
    app: web::Data<App>,
    account: Caller,
    id: PathId<PayoutId>,
) -> Result<web::Json<PayoutEarnings>, Error> {
    id.find(&app, &account, queries::find).await?;
    let items = app
        .db
        .read_at_length(move |conn| Ok(queries::list_items(conn, &account.id, &id.0)?))
        .await?;
    Ok(web::Json(PayoutEarnings {
        earnings: items.into_iter().map(PayoutEarning::from).collect(),
    }))
}
