//! `/api/v1/introductions`: the contract. Ours, in the style of the published operations.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi};

use super::model::IntroductionFilter;
use super::queries;
use super::view::IntroductionView;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Listing, list_of};
use crate::http::fields::fields;
use crate::http::openapi::{ListRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{CustomerId, ReferralId, Wanted};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/introductions").route(web::get().to(list)))
        .service(web::resource("/introductions/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, show))]
pub struct Docs;

fields! {
    /// Which introductions. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct IntroductionQuery {
        /// Only those whom this customer brought (also spelt `referrerId`).
        #[param(value_type = Option<String>)]
        pub referrer_id = "referrer_id" | "referrerId": Option<Wanted<CustomerId>>,
        /// Only how this customer was brought (also spelt `referredId`).
        #[param(value_type = Option<String>)]
        pub referred_id = "referred_id" | "referredId": Option<Wanted<CustomerId>>,
    }
}

impl Filter for IntroductionQuery {
    type Id = ReferralId;
}

narrow!(IntroductionQuery: never);

list_of! {
    /// A page of introductions.
    pub struct IntroductionList {
        /// The introductions, oldest first.
        pub introductions: Vec<IntroductionView>
    }
}

/// List introductions
#[utoipa::path(get, path = "/api/v1/introductions", tag = "Customers", operation_id = "listIntroductions",
    params(IntroductionQuery, PageParams),
    responses((status = 200, description = "A page of introductions", body = IntroductionList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<IntroductionQuery>,
) -> Result<Listing<IntroductionList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = IntroductionFilter {
        referrer_id: filter.referrer_id,
        referred_id: filter.referred_id,
    };
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, IntroductionView::from).await
}

/// Get an introduction
#[utoipa::path(get, path = "/api/v1/introductions/{id}", tag = "Customers", operation_id = "getIntroduction",
    params(("id" = ReferralId, Path, description = "The referral's id")),
    responses((status = 200, description = "The introduction", body = IntroductionView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<ReferralId>,
) -> Result<web::Json<IntroductionView>, Error> {
    let introduction = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(introduction.into()))
}
