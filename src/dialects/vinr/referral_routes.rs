//! `/v1/referrals`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::errors::{self, VinrError, VinrRefusals, VinrWriteRefusals};
use super::expand::{Expand, Paths};
use super::page::{PageSize, Part, VinrList};
use super::views::{VinrReferral, referrals};
use crate::api_keys::authenticate::must_read;
use crate::app::App;
use crate::db::DbConnection;
use crate::dialects::once::{Request, once};
use crate::error::Error;
use crate::http::account::Account;
use crate::http::fields::fields;
use crate::http::form::{Asked, Sent};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::path::PathId;
use crate::ids::{AccountId, CustomerId, Id, ReferralId, Wanted};
use crate::introductions::model::{Introduction, IntroductionFilter};
use crate::introductions::queries;
use crate::invitations::refer::refer;
use crate::replies::model::Said;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/referrals")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(web::resource("/referrals/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show), components(schemas(VinrError)))]
pub struct Docs;

fields! {
    /// One customer brought another.
    #[derive(ToSchema)]
    #[schema(as = VinrCreateReferral)]
    pub struct CreateReferral {
        /// Who brought …
        pub referrer_customer: CustomerId,
        /// … whom.
        pub referred_customer: CustomerId,
        /// Which ids of the answer are to be objects.
        #[schema(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

fields! {
    /// Which ids of the answer are to be objects.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ShowReferral {
        /// `referrer_customer`, `referred_customer`; also as `expand[]`.
        #[param(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

fields! {
    /// Which referrals, newest first.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListReferrals {
        /// Only those that this customer made.
        #[param(value_type = Option<String>)]
        pub referrer_customer: Option<Wanted<CustomerId>>,
        /// Only those of which this customer is the one who was brought.
        #[param(value_type = Option<String>)]
        pub referred_customer: Option<Wanted<CustomerId>>,
        /// How many, 1 to 100; 10 when left out.
        #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
        pub limit: Option<PageSize>,
        /// The id of the last one seen: those made before it.
        pub starting_after: Option<String>,
        /// The id of the first one seen: those made after it.
        pub ending_before: Option<String>,
        /// `referrer_customer`, `referred_customer`, with or without `data.`; also as `expand[]`.
        #[param(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

/// Record a referral
///
/// Between two customers, as JSON or as a form.
#[utoipa::path(post, path = "/v1/referrals", tag = "VINR", operation_id = "vinrCreateReferral",
    request_body(content((CreateReferral = "application/json"), (CreateReferral = "application/x-www-form-urlencoded"))),
    params(KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 201, description = "The referral", body = VinrReferral,
        headers(("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
        VinrWriteRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    sent: Sent<CreateReferral>,
) -> Result<HttpResponse, Error> {
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account: account.clone(),
        operation: "vinr create referral",
        key: key.or(None)?,
        fingerprint,
        refusal: errors::said,
    };
    let body = body.and_then(|body| {
        let expand = Expand::referral(body.expand.as_ref(), false).map_err(super::in_expand)?;
        Ok((body.referrer_customer, body.referred_customer, expand))
    });
    if let Ok((_, _, expand)) = &body {
        must_see(&request, *expand)?;
    }
    let public_url = app.public_url.clone();
    once(&app, asked, move |conn, account, now| {
        let (referrer, referred, expand) = body.as_ref().map_err(super::invalid)?;
        let who = (&account.id, &account.key);
        let made = refer(conn, who, (referrer, referred), &public_url, now)?;
        let view = referrals(conn, &account.id, vec![made], *expand)?.pop();
        Said::new(StatusCode::CREATED, &view)
    })
    .await
}

/// Customers are shown to whoever may read customers.
fn must_see(request: &HttpRequest, expand: Expand) -> Result<(), Error> {
    match expand.referrer || expand.referred {
        true => must_read(request, "customers"),
        false => Ok(()),
    }
}

/// Retrieve a referral
#[utoipa::path(get, path = "/v1/referrals/{id}", tag = "VINR", operation_id = "vinrGetReferral",
    params(("id" = ReferralId, Path, description = "The referral's id"), ShowReferral),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The referral", body = VinrReferral), VinrRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    id: PathId<ReferralId>,
    query: Asked<ShowReferral>,
) -> Result<web::Json<VinrReferral>, Error> {
    let expand = Expand::referral(query.0.expand.as_ref(), false)
        .map_err(|complaint| Error::field("expand", complaint))?;
    must_see(&request, expand)?;
    let found = app
        .db
        .read(move |conn| {
            let found = queries::find(conn, &account.id, &id.0)?;
            Ok(referrals(conn, &account.id, found.into_iter().collect(), expand)?.pop())
        })
        .await?;
    let referral = found.ok_or(Error::NotFound(ReferralId::NOUN))?;
    Ok(web::Json(referral))
}

/// List referrals
#[utoipa::path(get, path = "/v1/referrals", tag = "VINR", operation_id = "vinrListReferrals",
    params(ListReferrals),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The referrals, newest first", body = VinrList<VinrReferral>), VinrRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: Asked<ListReferrals>,
) -> Result<web::Json<VinrList<VinrReferral>>, Error> {
    let Asked(query) = query;
    let expand = Expand::referral(query.expand.as_ref(), true)
        .map_err(|complaint| Error::field("expand", complaint))?;
    must_see(&request, expand)?;
    let part = Part::new(query.limit, query.starting_after, query.ending_before)?;
    let filter = IntroductionFilter {
        referrer_id: query.referrer_customer,
        referred_id: query.referred_customer,
    };
    let load = move |conn: &mut DbConnection| {
        let rows = page(conn, &account.id, &filter, &part)?;
        let (rows, has_more) = part.list(rows);
        let data = referrals(conn, &account.id, rows, expand)?;
        Ok(VinrList::of(data, has_more))
    };
    Ok(web::Json(app.db.read(load).await?))
}

fn page(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &IntroductionFilter,
    part: &Part,
) -> Result<Vec<Introduction>, Error> {
    if let Some(cursor) = &part.page.after {
        let id = ReferralId::from_outside(cursor).ok_or_else(|| part.no_such_cursor())?;
        queries::find(conn, account, &id)?.ok_or_else(|| part.no_such_cursor())?;
    }
    Ok(queries::list(conn, account, filter, &part.page)?)
}
