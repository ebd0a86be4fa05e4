//! `/api/v1/coupons`: the contract. Ours, in the style of the published operations.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{CouponCode, CouponFilter};
use super::queries;
use super::view::CouponView;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Envelope, Listing};
use crate::http::fields::fields;
use crate::http::openapi::{ListRefusals, ShowRefusals};
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{ReferralId, Wanted};
use crate::parse::Parse;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/coupons").route(web::get().to(list)))
        .service(web::resource("/coupons/{code}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, show))]
pub struct Docs;

fields! {
    /// Which coupons.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct CouponQuery {
        /// Only this signup's (also spelt `referralId`).
        #[param(value_type = Option<String>, example = "ref_123abc")]
        pub referral_id = "referral_id" | "referralId": Option<Wanted<ReferralId>>,
    }
}

/// A coupon's place in the list is its signup's.
impl Filter for CouponQuery {
    type Id = ReferralId;
}

narrow!(CouponQuery: never);

/// A page of coupons.
#[derive(Serialize, ToSchema)]
pub struct CouponList {
    /// The coupons, in the order of the signups; `after` is a `referral_id`.
    pub coupons: Vec<CouponView>,
    /// The page size in force.
    #[schema(example = 50)]
    pub limit: i64,
    /// How many were passed over.
    #[schema(example = 0)]
    pub offset: i64,
    /// Whether there are more behind these.
    #[schema(example = false)]
    pub has_more: bool,
}

impl Envelope for CouponList {
    type Item = CouponView;

    fn around(coupons: Vec<CouponView>, page: &Page, has_more: bool) -> Self {
        Self {
            coupons,
            limit: page.limit,
            offset: page.offset,
            has_more,
        }
    }

    fn last_id(&self) -> Option<&str> {
        self.coupons
            .last()
            .map(|coupon| coupon.referral_id.as_str())
    }
}

/// List coupons
#[utoipa::path(get, path = "/api/v1/coupons", tag = "Customers", operation_id = "listCoupons",
    params(CouponQuery, PageParams),
    responses((status = 200, description = "A page of coupons", body = CouponList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<CouponQuery>,
) -> Result<Listing<CouponList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = CouponFilter {
        referral_id: filter.referral_id,
    };
    let now = app.clock.now();
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, move |row| {
        CouponView::at(row, now)
    })
    .await
    .map(Listing::of_this_moment)
}

/// Get a coupon
#[utoipa::path(get, path = "/api/v1/coupons/{code}", tag = "Customers", operation_id = "getCoupon",
    params(("code" = CouponCode, Path, description = "What is typed")),
    responses((status = 200, description = "The coupon", body = CouponView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    code: web::Path<String>,
) -> Result<web::Json<CouponView>, Error> {
    let unknown = || Error::NotFound("Coupon");
    let code = CouponCode::parse(&code).map_err(|_| unknown())?;
    let found = app
        .db
        .read(move |conn| Ok(queries::find(conn, &account.id, &code)?))
        .await?;
    let coupon = found.ok_or_else(unknown)?;
    Ok(web::Json(CouponView::at(coupon, app.clock.now())))
}
