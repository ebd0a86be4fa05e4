//! `/api/v1/refunds`: the contract. Ours, in the style of the published operations.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{NewRefund, RefundFilter, RefundStatus};
use super::queries;
use super::record::record;
use super::view::RefundView;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::Body;
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{ConversionId, RefundId, Wanted};
use crate::money::{Cents, Currency};
use crate::parse::Complaint;
use crate::text::{IdempotencyKey, OrderId, Paragraph};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/refunds")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(web::resource("/refunds/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show))]
pub struct Docs;

fields! {
    /// Which refunds. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct RefundQuery {
        /// Only of this order (also spelt `orderId`).
        #[param(value_type = Option<String>)]
        pub order_id = "order_id" | "orderId": Option<OrderId>,
        /// Only of this conversion (also spelt `conversionId`).
        #[param(value_type = Option<String>)]
        pub conversion_id = "conversion_id" | "conversionId": Option<Wanted<ConversionId>>,
        /// Only those that wait for their order, or that were applied.
        pub status: Option<RefundStatus>,
    }
}

narrow!(RefundQuery: never);

impl Filter for RefundQuery {
    type Id = RefundId;
}

fields! {
    /// Money given back of an order, which may be reported before or after it.
    #[derive(ToSchema)]
    #[schema(example = json!({
        "order_id": "order_771", "amount": 1100, "currency": "USD", "reason": "One item returned",
        "idempotency_key": "credit_note_12"
    }))]
    pub struct CreateRefund {
        /// Your own name for the order.
        pub order_id: OrderId,
        /// How much, in minor units; all that is left when left out.
        #[schema(value_type = Option<i64>, minimum = 1, maximum = 99_999_999_999_i64)]
        pub amount: Option<Cents>,
        /// The order's when left out, and never another one.
        pub currency: Option<Currency>,
        /// For you to read.
        pub reason: Option<Paragraph>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Your own name for this refund: an order can be refunded in parts, so every refund needs one, here or as
        /// the header `Idempotency-Key`. The same key again is the same refund, for ever.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

list_of! {
    /// A page of refunds.
    pub struct RefundList {
        /// The refunds, oldest first.
        pub refunds: Vec<RefundView>
    }
}

/// List refunds
#[utoipa::path(get, path = "/api/v1/refunds", tag = "Refunds", operation_id = "listRefunds",
    params(RefundQuery, PageParams),
    responses((status = 200, description = "A page of refunds", body = RefundList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<RefundQuery>,
) -> Result<Listing<RefundList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = RefundFilter {
        order_id: filter.order_id,
        conversion_id: filter.conversion_id,
        status: filter.status,
    };
    // Refunds find their orders later.
    let stable = (filter.status.is_none() && filter.conversion_id.is_none())
        .then(|| format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, RefundView::from).await
}

/// Report a refund
///
/// Takes back the part of the commission that belongs to what was given back: from what is held, then from what is
/// available; what was paid already is owed back, and set off against what the ambassador earns next.
#[utoipa::path(post, path = "/api/v1/refunds", tag = "Refunds", operation_id = "createRefund",
    request_body = CreateRefund,
    params(KeyHeaderParam),
    responses((status = 200, description = "The refund, as it is now", body = RefundView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateRefund>,
) -> Result<Created<RefundView>, Error> {
    let Body(body) = body;
    let key = key
        .or(body.idempotency_key)?
        .ok_or_else(|| Error::field("idempotency_key", Complaint::Missing))?;
    let retry = Retry {
        fingerprint: fingerprint(&[
            body.order_id.as_str(),
            &body.amount.map_or(0, Cents::get).to_string(),
            body.currency.as_ref().map_or("", Currency::as_str),
        ]),
        key,
    };
    let new = NewRefund {
        order_id: body.order_id,
        amount: body.amount,
        currency: body.currency,
        reason: body.reason,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
    };
    let recorded = app
        .db
        .write(move |conn, now| record(conn, &account.id, &account.key, &new, now))
        .await?;
    Ok(Created::new(recorded, RefundView::from))
}

/// Get a refund
#[utoipa::path(get, path = "/api/v1/refunds/{id}", tag = "Refunds", operation_id = "getRefund",
    params(("id" = RefundId, Path, description = "The refund's id")),
    responses((status = 200, description = "The refund", body = RefundView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<RefundId>,
) -> Result<web::Json<RefundView>, Error> {
    let refund = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(refund.into()))
}
