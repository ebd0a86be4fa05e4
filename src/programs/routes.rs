//! `/api/v1/programs`: the contract. The published documents leave programs to a dashboard; the fields are
//! those of its settings page, the style is theirs.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::edit::edit;
use super::launch::launch;
use super::model::{NewProgram, PayoutSchedule, Program, ProgramChanges, ProgramStatus};
use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{Threshold, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::ProgramId;
use crate::money::{BasisPoints, Cents, Currency};
use crate::text::{IdempotencyKey, Name, Paragraph, WebUrl};

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
        /// Only programs that recruit, or only paused ones.
        pub status: Option<ProgramStatus>,
    }
}

impl Filter for ProgramFilter {
    type Id = ProgramId;
}

fields! {
    /// A new program.
    #[derive(ToSchema)]
    pub struct CreateProgram {
        /// What people call it.
        pub name: Name,
        /// For people, at most 2,000 characters.
        pub description: Option<Paragraph>,
        /// Where a scan leads; `impression_id` is added to it.
        pub landing_url: WebUrl,
        /// The commission in percent; 0 when left out.
        pub commission_rate: Option<BasisPoints>,
        /// `manual` when left out.
        pub payout_schedule: Option<PayoutSchedule>,
        /// In minor units; 0 when left out.
        pub minimum_payout: Option<Threshold>,
        /// `USD` when left out.
        pub payout_currency: Option<Currency>,
        /// `active` when left out.
        pub status: Option<ProgramStatus>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `description`.
    #[derive(ToSchema)]
    pub struct UpdateProgram {
        /// A new name.
        pub name: Option<Name>,
        /// A new description, or null for none.
        #[schema(value_type = Option<Paragraph>)]
        pub description: Option<Option<Paragraph>>,
        /// A new destination, for posters that already hang too.
        pub landing_url: Option<WebUrl>,
        /// A new rate in percent.
        pub commission_rate: Option<BasisPoints>,
        /// A new schedule.
        pub payout_schedule: Option<PayoutSchedule>,
        /// A new threshold in minor units.
        pub minimum_payout: Option<Threshold>,
        /// A new currency, for earnings to come.
        pub payout_currency: Option<Currency>,
        /// Pause or resume.
        pub status: Option<ProgramStatus>,
    }
}

/// What a company promises its ambassadors, and where scans lead.
#[derive(Serialize, ToSchema)]
#[schema(as = Program, example = json!({
    "id": "prog_123abc", "name": "Campus launch", "description": null,
    "landing_url": "https://example.com/join", "commission_rate": 10, "payout_schedule": "monthly",
    "minimum_payout": 5000, "payout_currency": "USD", "status": "active",
    "created_at": "2024-01-10T09:00:00Z", "updated_at": "2024-01-10T09:00:00Z"
}))]
pub struct ProgramView {
    /// `prog_…`
    pub id: ProgramId,
    /// What people call it.
    pub name: Name,
    /// For people.
    #[schema(required)]
    pub description: Option<Paragraph>,
    /// Where a scan leads.
    pub landing_url: WebUrl,
    /// The commission in percent.
    pub commission_rate: BasisPoints,
    /// How often ambassadors are paid.
    pub payout_schedule: PayoutSchedule,
    /// The least that is paid out, in minor units.
    pub minimum_payout: Cents,
    /// The currency of payouts.
    pub payout_currency: Currency,
    /// Whether it recruits.
    pub status: ProgramStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<Program> for ProgramView {
    fn from(program: Program) -> Self {
        Self {
            id: program.id,
            name: program.name,
            description: program.description,
            landing_url: program.landing_url,
            commission_rate: program.commission_basis_points,
            payout_schedule: program.payout_schedule,
            minimum_payout: program.minimum_payout,
            payout_currency: program.payout_currency,
            status: program.status,
            created_at: program.created_at,
            updated_at: program.updated_at,
        }
    }
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
    account: Account,
    request: HttpRequest,
    query: ListQuery<ProgramFilter>,
) -> Result<Listing<ProgramList>, Error> {
    let ListQuery { filter, page } = query;
    // Statuses change.
    let stable = filter
        .status
        .is_none()
        .then(|| format!("{} programs", account.id.as_str()));
    let rows = move |conn: &mut DbConnection, page: &Page| {
        queries::list(conn, &account.id, filter.status, page)
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
        status: body.status.unwrap_or(ProgramStatus::Active),
        retry,
    };
    let recorded = app
        .db
        .write(move |conn, now| launch(conn, &account.id, ProgramId::new(now), &new, now))
        .await?;
    Ok(Created::new(recorded, ProgramView::from))
}

/// Get a program
#[utoipa::path(get, path = "/api/v1/programs/{id}", tag = "Programs", operation_id = "getProgram",
    params(("id" = ProgramId, Path, description = "The program's id")),
    responses((status = 200, description = "The program", body = ProgramView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
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
        status: body.status,
    };
    let program = app
        .db
        .write(move |conn, now| edit(conn, &account.id, &id.0, &changes, now))
        .await?;
    app.hanging.forget();
    Ok(web::Json(program.into()))
}
