//! `/api/v1/earnings`: the contract. All four operations are published; so are the snake_case filters.

use actix_web::{HttpRequest, web};
use serde_json::json;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::accrue::accrue;
use super::model::{EarningChanges, EarningFilter, EarningStatus, NewEarning, money};
use super::queries;
use super::settle::settle;
use super::view::EarningView;
use crate::acts::model::{Act, Action};
use crate::acts::note::note_if_changed;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::{Account, Caller};
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::Retry;
use crate::ids::{AmbassadorId, EarningId, ProgramId, ReferralId, Wanted};
use crate::money::{Cents, Currency, Unit};
use crate::text::{IdempotencyKey, Line, Paragraph};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/earnings")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/earnings/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// Which earnings. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct EarningQuery {
        /// Only this referral's (also spelt `referralId`).
        #[param(value_type = Option<String>, example = "ref_123abc")]
        pub referral_id = "referral_id" | "referralId": Option<Wanted<ReferralId>>,
        /// Only this program's (also spelt `programId`).
        #[param(value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "program_id" | "programId": Option<Wanted<ProgramId>>,
        /// Only this ambassador's (also spelt `studentId`).
        #[param(value_type = Option<String>, example = "user_123abc")]
        pub student_id = "student_id" | "studentId": Option<Wanted<AmbassadorId>>,
        /// Only those that stand there.
        pub status: Option<EarningStatus>,
    }
}

narrow!(EarningQuery);

impl Filter for EarningQuery {
    type Id = EarningId;
}

fields! {
    /// A commission, already computed.
    #[derive(ToSchema)]
    #[schema(example = json!({
        "referral_id": "ref_123abc", "amount": 550, "currency": "USD", "type": "purchase",
        "description": "Commission for order 771", "idempotency_key": "order_771"
    }))]
    pub struct CreateEarning {
        /// The signup it was earned by. It may have any status but `rejected`.
        pub referral_id: ReferralId,
        /// Minor units, a whole number: 550 is 5.50.
        #[schema(value_type = i64, minimum = 1, maximum = 99_999_999_999_i64)]
        pub amount: Cents,
        /// The program's payout currency when left out.
        pub currency: Option<Currency>,
        /// purchase, subscription, recurring, bonus, or whatever you call it.
        #[schema(rename = "type")]
        pub kind = "type": Option<Line>,
        /// For the ambassador to read, at most 2,000 characters.
        pub description: Option<Paragraph>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request, for ever.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `type`, `description` and `reference_id`.
    #[derive(ToSchema)]
    #[schema(example = json!({"status": "paid", "reference_id": "payout_456def"}))]
    pub struct UpdateEarning {
        /// A corrected amount in minor units; not once it is paid.
        #[schema(value_type = Option<i64>, minimum = 1, maximum = 99_999_999_999_i64)]
        pub amount: Option<Cents>,
        /// A corrected currency; not once it is paid. Points stay points.
        #[schema(value_type = Option<Currency>)]
        pub currency: Option<Unit>,
        /// A new type, or null for none.
        #[schema(rename = "type", value_type = Option<Line>)]
        pub kind = "type": Option<Option<Line>>,
        /// A new description, or null for none.
        #[schema(value_type = Option<Paragraph>)]
        pub description: Option<Option<Paragraph>>,
        /// pending → processing, paid; processing → paid, failed; failed → processing. The same again changes
        /// nothing.
        pub status: Option<EarningStatus>,
        /// The payout's or transaction's id elsewhere, or null for none.
        #[schema(value_type = Option<Line>)]
        pub reference_id: Option<Option<Line>>,
        /// Keys to set; a key with null is removed.
        pub metadata: Option<SentMetadata>,
        /// Why the status moves; kept in the history.
        pub note: Option<Paragraph>,
    }
}

list_of! {
    /// A page of earnings.
    pub struct EarningList {
        /// The earnings, oldest first.
        pub earnings: Vec<EarningView>
    }
}

/// List earnings
#[utoipa::path(get, path = "/api/v1/earnings", tag = "Earnings", operation_id = "listEarnings",
    params(EarningQuery, PageParams),
    responses((status = 200, description = "A page of earnings", body = EarningList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<EarningQuery>,
) -> Result<Listing<EarningList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = EarningFilter {
        referral_id: filter.referral_id,
        program_id: filter.program_id,
        ambassador_id: filter.student_id,
        status: filter.status,
    };
    // Statuses change.
    let stable = filter
        .status
        .is_none()
        .then(|| format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, EarningView::from).await
}

/// Record a commission
#[utoipa::path(post, path = "/api/v1/earnings", tag = "Earnings", operation_id = "createEarning",
    request_body = CreateEarning,
    params(KeyHeaderParam),
    responses((status = 200, description = "The earning, as it is now", body = EarningView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateEarning>,
) -> Result<Created<EarningView>, Error> {
    let Body(body) = body;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: money(&body.referral_id, body.amount, body.currency.as_ref()),
        key,
    });
    let new = NewEarning {
        referral_id: body.referral_id,
        amount: body.amount,
        currency: body.currency,
        kind: body.kind,
        description: body.description,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
    };
    let recorded = app
        .db
        .write(move |conn, now| {
            accrue(
                conn,
                &account.id,
                &account.key,
                &EarningId::new(now),
                &new,
                now,
            )
        })
        .await?;
    Ok(Created::new(recorded, EarningView::from))
}

/// Get an earning
#[utoipa::path(get, path = "/api/v1/earnings/{id}", tag = "Earnings", operation_id = "getEarning",
    params(("id" = EarningId, Path, description = "The earning's id")),
    responses((status = 200, description = "The earning", body = EarningView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<EarningId>,
) -> Result<web::Json<EarningView>, Error> {
    let earning = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(earning.into()))
}

/// Pay or correct an earning
#[utoipa::path(put, path = "/api/v1/earnings/{id}", tag = "Earnings", operation_id = "updateEarning",
    request_body = UpdateEarning,
    params(("id" = EarningId, Path, description = "The earning's id")),
    responses((status = 200, description = "The earning as it is now", body = EarningView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    id: PathId<EarningId>,
    body: Result<Body<UpdateEarning>, Error>,
) -> Result<web::Json<EarningView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = EarningChanges {
        amount: body.amount,
        currency: body.currency.map(|unit| unit.0),
        kind: body.kind,
        description: body.description,
        status: body.status,
        reference_id: body.reference_id,
        metadata: SentMetadata::change(body.metadata, app.config.metadata_update),
        note: body.note,
    };
    let earning = app
        .db
        .write(move |conn, now| {
            let before = queries::find(conn, &account.id, &id.0)?;
            let after = settle(conn, &account.id, &account.key, &id.0, &changes, now)?;
            let act = Act::new(&account.id, Some(&account.key), Action::EarningUpdated, id.0.as_str(), now)
                .saying(&json!({ "amount": after.amount, "currency": after.currency, "status": after.status }));
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    Ok(web::Json(earning.into()))
}
