//! `/api/v1/programs`: the contract. The published documents leave programs to a dashboard; the fields are
//! those of its settings page, the style is theirs.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi};

use super::bodies::{CreateProgram, UpdateProgram};
use super::edit::edit;
use super::launch::launch;
use super::model::{
    Audience, AvailableWhen, ConvertedBy, CouponTerms, NewProgram, PayoutSchedule, ProgramChanges,
    ProgramStatus,
};
use super::queries;
use super::view::ProgramView;
use crate::acts::model::{Act, Action};
use crate::acts::note::{note_if_changed, note_if_new};
use crate::app::App;
use crate::bounds::{Bounds, Narrow};
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::{Account, Caller};
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::fields;
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{ProgramId, Wanted};
use crate::money::{BasisPoints, Cents, Currency};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/programs")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/programs/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// Which programs.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ProgramFilter {
        /// Only this one (also spelt `program_id`).
        #[param(rename = "programId", value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "programId" | "program_id": Option<Wanted<ProgramId>>,
        /// Only programs that recruit, or only paused ones.
        pub status: Option<ProgramStatus>,
    }
}

impl Narrow for ProgramFilter {
    fn within(mut self, bounds: &Bounds) -> Option<Self> {
        bounds.narrow_program(&mut self.program_id);
        Some(self)
    }
}

impl Filter for ProgramFilter {
    type Id = ProgramId;
}

list_of! {
    /// A page of programs.
    pub struct ProgramList {
        /// The programs, oldest first.
        pub programs: Vec<ProgramView>
    }
}

/// List programs
#[utoipa::path(get, path = "/api/v1/programs", tag = "Programs", operation_id = "listPrograms",
    params(ProgramFilter, PageParams),
    responses((status = 200, description = "A page of programs", body = ProgramList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<ProgramFilter>,
) -> Result<Listing<ProgramList>, Error> {
    let ListQuery { filter, page } = query;
    // Statuses change.
    let stable = filter
        .status
        .is_none()
        .then(|| format!("{} programs {:?}", account.id, filter.program_id));
    let rows = move |conn: &mut DbConnection, page: &Page| {
        queries::list(
            conn,
            &account.id,
            filter.program_id.as_ref(),
            filter.status,
            page,
        )
    };
    answer::list(&app, &request, page, stable, rows, ProgramView::from).await
}

/// Create a program
#[utoipa::path(post, path = "/api/v1/programs", tag = "Programs", operation_id = "createProgram",
    request_body = CreateProgram,
    params(KeyHeaderParam),
    responses((status = 200, description = "The program", body = ProgramView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateProgram>,
) -> Result<Created<ProgramView>, Error> {
    let Body(body) = body;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[body.name.as_str(), body.landing_url.as_str()]),
        key,
    });
    let new = NewProgram {
        name: body.name,
        description: body.description,
        landing_url: body.landing_url,
        commission: body.commission_rate.unwrap_or(BasisPoints::ZERO),
        payout_schedule: body.payout_schedule.unwrap_or(PayoutSchedule::Manual),
        minimum_payout: body
            .minimum_payout
            .map_or(Cents::ZERO, |threshold| threshold.0),
        payout_currency: body.payout_currency.unwrap_or_else(Currency::usd),
        available_when: body.available_when.unwrap_or(AvailableWhen::Verified),
        hold_days: body.hold_days.map_or(30, |days| days.0),
        converted_by: body.converted_by.unwrap_or(ConvertedBy::Conversion),
        audience: body.audience.unwrap_or(Audience::Ambassadors),
        coupon_terms: CouponTerms {
            coupons: i64::from(body.coupons.unwrap_or(false)),
            coupon_prefix: body.coupon_prefix.unwrap_or_default(),
            coupon_days: body.coupon_days.map(|days| days.0),
        },
        status: body.status.unwrap_or(ProgramStatus::Active),
        retry,
    };
    let recorded = app
        .db
        .write(move |conn, now| {
            let (owner, key, id) = (&account.id, &account.key, ProgramId::new(now));
            let recorded = launch(conn, owner, key, id, &new, now)?;
            note_if_new(conn, &recorded, |new| {
                Act::new(
                    owner,
                    Some(key),
                    Action::ProgramCreated,
                    new.id.as_str(),
                    now,
                )
            })?;
            Ok(recorded)
        })
        .await?;
    Ok(Created::new(recorded, ProgramView::from))
}

/// Get a program
#[utoipa::path(get, path = "/api/v1/programs/{id}", tag = "Programs", operation_id = "getProgram",
    params(("id" = ProgramId, Path, description = "The program's id")),
    responses((status = 200, description = "The program", body = ProgramView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ProgramId>,
) -> Result<web::Json<ProgramView>, Error> {
    let program = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(program.into()))
}

/// Update a program
#[utoipa::path(put, path = "/api/v1/programs/{id}", tag = "Programs", operation_id = "updateProgram",
    request_body = UpdateProgram,
    params(("id" = ProgramId, Path, description = "The program's id")),
    responses((status = 200, description = "The program as it is now", body = ProgramView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    id: PathId<ProgramId>,
    body: Result<Body<UpdateProgram>, Error>,
) -> Result<web::Json<ProgramView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = ProgramChanges {
        name: body.name,
        description: body.description,
        landing_url: body.landing_url,
        commission: body.commission_rate,
        payout_schedule: body.payout_schedule,
        minimum_payout: body.minimum_payout.map(|threshold| threshold.0),
        payout_currency: body.payout_currency,
        available_when: body.available_when,
        hold_days: body.hold_days.map(|days| days.0),
        converted_by: body.converted_by,
        coupons: body.coupons,
        coupon_prefix: body.coupon_prefix,
        coupon_days: body.coupon_days.map(|days| days.map(|days| days.0)),
        status: body.status,
    };
    let program = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = edit(conn, &account.id, &account.key, &id.0, &changes, now)?;
            let act = Act::new(
                &account.id,
                Some(&account.key),
                Action::ProgramUpdated,
                id.0.as_str(),
                now,
            );
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    app.hanging.forget();
    Ok(web::Json(program.into()))
}
