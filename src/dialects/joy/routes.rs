//! `/rest_api/v2/referrals`.

use actix_web::web;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::errors::{JoyError, JoyRefusals};
use super::views::{JoyAnalytics, JoyAnswer, JoyInvitation, JoyReferrer, JoySummary};
use crate::app::App;
use crate::clock::{Day, Timestamp};
use crate::customers::model::Customer;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::body::Body;
use crate::http::fields::fields;
use crate::http::form::Asked;
use crate::ids::{AccountId, CustomerId, Id};
use crate::invitations::invite::invite;
use crate::ledger::sums::Sums;
use crate::money::Currency;
use crate::parse::{Complaint, Parse};
use crate::text::{EmailAddress, ExternalId};
use crate::{accounts, coupons, customers, introductions, invitations, ledger, referrals};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/referrals/invitations").route(web::post().to(create_invitation)))
        .service(
            web::resource("/referrals/customers/{customerId}/referrers")
                .route(web::get().to(referrers)),
        )
        .service(
            web::resource("/referrals/customers/{customerId}/summary")
                .route(web::get().to(summary)),
        )
        .service(web::resource("/referrals/analytics").route(web::get().to(analytics)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(
    paths(create_invitation, referrers, summary, analytics),
    components(schemas(JoyError))
)]
pub struct Docs;

fields! {
    /// Whose link it is to be.
    #[derive(ToSchema)]
    #[schema(as = JoyCreateInvitation)]
    pub struct CreateInvitation {
        /// The address of a customer of yours.
        pub email: EmailAddress,
    }
}

fields! {
    /// From when to when.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct Days {
        /// The first day, in the account's time zone; from the beginning when left out.
        #[param(rename = "startDate", value_type = Option<Day>)]
        pub start_date = "startDate": Option<Day>,
        /// The last day, which counts; until now when left out.
        #[param(rename = "endDate", value_type = Option<Day>)]
        pub end_date = "endDate": Option<Day>,
    }
}

/// Get or make a customer's link
///
/// The same link every time. If the account has no program for customers yet, it is made.
#[utoipa::path(post, path = "/rest_api/v2/referrals/invitations", tag = "Joy", operation_id = "joyCreateInvitation",
    request_body = CreateInvitation,
    responses((status = 200, description = "The link", body = JoyAnswer<JoyInvitation>), JoyRefusals))]
async fn create_invitation(
    app: web::Data<App>,
    account: Account,
    body: Body<CreateInvitation>,
) -> Result<web::Json<JoyAnswer<JoyInvitation>>, Error> {
    let Body(CreateInvitation { email }) = body;
    let public_url = app.public_url.clone();
    let work = move |conn: &mut DbConnection, now| {
        let folded = vec![email.folded()];
        let customer = customers::queries::find_by_emails(conn, &account.id, folded)?.pop();
        let customer = customer.ok_or(Error::NotFound(CustomerId::NOUN))?;
        let who = (&account.id, &account.key);
        invite(conn, who, &customer.id, &public_url, now)
    };
    let link = app.db.write(work).await?;
    let invitation = JoyInvitation::new(link, &app.public_url);
    Ok(web::Json(JoyAnswer {
        message: Some("This is the customer's link"),
        ..JoyAnswer::new(invitation, app.clock.now())
    }))
}

/// List who brought a customer
///
/// Nobody, or one.
#[utoipa::path(get, path = "/rest_api/v2/referrals/customers/{customerId}/referrers", tag = "Joy",
    operation_id = "joyListReferrers",
    params(("customerId" = String, Path, description = "The customer's id, or your own name for the customer")),
    responses((status = 200, description = "Who it was", body = JoyAnswer<Vec<JoyReferrer>>), JoyRefusals))]
async fn referrers(
    app: web::Data<App>,
    account: Account,
    id: web::Path<String>,
) -> Result<web::Json<JoyAnswer<Vec<JoyReferrer>>>, Error> {
    let load = move |conn: &mut DbConnection| {
        let customer = customer(conn, &account.id, &id)?;
        let found = introductions::queries::find_of_referred(conn, &account.id, &customer.id)?;
        let Some(introduction) = found else {
            return Ok(Vec::new());
        };
        let id = &introduction.referral_id;
        let signup = referrals::queries::find(conn, &account.id, id)?
            .ok_or_else(|| Error::internal("an introduction without a signup"))?;
        let referrer = &introduction.referrer_id;
        let referrer = customers::queries::find(conn, &account.id, referrer)?;
        let coupon =
            coupons::queries::list_of_referrals(conn, &account.id, std::slice::from_ref(id))?.pop();
        let row = JoyReferrer::new(introduction, &signup, referrer, coupon);
        Ok(vec![row])
    };
    let rows = app.db.read_consistently(load).await?;
    Ok(web::Json(JoyAnswer::list(rows, app.clock.now())))
}

/// Get what a customer's referrals have come to
#[utoipa::path(get, path = "/rest_api/v2/referrals/customers/{customerId}/summary", tag = "Joy",
    operation_id = "joyGetReferralSummary",
    params(("customerId" = String, Path, description = "The customer's id, or your own name for the customer")),
    responses((status = 200, description = "The counts", body = JoyAnswer<JoySummary>), JoyRefusals))]
async fn summary(
    app: web::Data<App>,
    account: Account,
    id: web::Path<String>,
) -> Result<web::Json<JoyAnswer<JoySummary>>, Error> {
    let load = move |conn: &mut DbConnection| {
        let customer = customer(conn, &account.id, &id)?;
        Ok(JoySummary {
            total_redeem_coupon: coupons::queries::count_used_through(
                conn,
                &account.id,
                &customer.id,
            )?,
            total_point_earn_refer: points(conn, &customer)?,
        })
    };
    let summary = app.db.read_consistently(load).await?;
    Ok(web::Json(JoyAnswer::new(summary, app.clock.now())))
}

/// Get what all referrals have come to
#[utoipa::path(get, path = "/rest_api/v2/referrals/analytics", tag = "Joy", operation_id = "joyGetReferralAnalytics",
    params(Days),
    responses((status = 200, description = "The counts", body = JoyAnswer<JoyAnalytics>), JoyRefusals))]
async fn analytics(
    app: web::Data<App>,
    account: Account,
    query: Asked<Days>,
) -> Result<web::Json<JoyAnswer<JoyAnalytics>>, Error> {
    let Asked(days) = query;
    let (first, last) = (days.start_date, days.end_date);
    if first.zip(last).is_some_and(|(first, last)| last < first) {
        let complaint = Complaint::new("contradiction", "must not lie before startDate");
        return Err(Error::field("endDate", complaint));
    }
    let load = move |conn: &mut DbConnection| {
        let zone = accounts::queries::find(conn, &account.id)?.time_zone;
        let from = first.map(|day| zone.start_of(day));
        let until = last.map(|day| zone.start_of(day.next()));
        let from = from.unwrap_or(Timestamp::from_micros(i64::MIN));
        let until = until.unwrap_or(Timestamp::from_micros(i64::MAX));
        Ok(coupons::queries::count_used(
            conn,
            &account.id,
            from,
            until,
        )?)
    };
    let counts = JoyAnalytics {
        count_coupon_code_usage: app.db.read_at_length(load).await?,
    };
    Ok(web::Json(JoyAnswer::new(counts, app.clock.now())))
}

/// The customer with this id, or with this name of the company's.
fn customer(conn: &mut DbConnection, account: &AccountId, named: &str) -> Result<Customer, Error> {
    if let Some(id) = CustomerId::from_outside(named)
        && let Some(customer) = customers::queries::find(conn, account, &id)?
    {
        return Ok(customer);
    }
    let names = ExternalId::parse(named).into_iter().collect();
    let found = customers::queries::find_by_external_ids(conn, account, names)?.pop();
    found.ok_or(Error::NotFound(CustomerId::NOUN))
}

/// What a customer got in points, without what was taken back.
fn points(conn: &mut DbConnection, customer: &Customer) -> Result<i64, Error> {
    let account = &customer.account_id;
    let Some(invitation) = invitations::queries::find(conn, account, &customer.id)? else {
        return Ok(0);
    };
    let ambassador = &invitation.ambassador_id;
    let end = Timestamp::from_micros(i64::MAX);
    let transfers = ledger::queries::sums(conn, account, ambassador, end)?;
    let in_points = transfers
        .into_iter()
        .filter(|(currency, ..)| *currency == Currency::points());
    let sums = Sums::of(in_points.map(|(_, reason, amount)| (reason, amount)));
    Ok((sums.earned - sums.reversed).max(0))
}
