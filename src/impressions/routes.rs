//! `/api/v1/impressions`: the contract. List and get are published;
//! create, for scans recorded elsewhere, is ours.

use std::net::IpAddr;

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{ImpressionFilter, NewImpression};
use super::record::record;
use super::view::ImpressionView;
use super::{filed_queries, queries};
use crate::app::App;
use crate::bounds::narrow;
use crate::clock::Timestamp;
use crate::config::Keep;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::Body;
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::peer;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{AmbassadorId, ImpressionId, PosterId, ProgramId, Wanted};
use crate::parse::{Complaint, Parse};
use crate::posters;
use crate::text::{IdempotencyKey, Line, Paragraph};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/impressions")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(web::resource("/impressions/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show))]
pub struct Docs;

fields! {
    /// Which impressions.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ImpressionQuery {
        /// Only this program's (also spelt `program_id`).
        #[param(rename = "programId", value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "programId" | "program_id": Option<Wanted<ProgramId>>,
        /// Only this poster's (also spelt `poster_id`).
        #[param(rename = "posterId", value_type = Option<String>, example = "poster_123abc")]
        pub poster_id = "posterId" | "poster_id": Option<Wanted<PosterId>>,
        /// Only this ambassador's (also spelt `student_id`).
        #[param(rename = "studentId", value_type = Option<String>, example = "user_123abc")]
        pub student_id = "studentId" | "student_id": Option<Wanted<AmbassadorId>>,
    }
}

narrow!(ImpressionQuery);

impl Filter for ImpressionQuery {
    type Id = ImpressionId;
}

fields! {
    /// A scan that was seen elsewhere. Program and ambassador are the poster's.
    #[derive(ToSchema)]
    pub struct CreateImpression {
        /// What was scanned.
        pub poster_id: PosterId,
        /// When; now when left out. It cannot lie in the future.
        pub scanned_at: Option<Timestamp>,
        /// What the phone called itself, at most 2,000 characters.
        pub user_agent: Option<Paragraph>,
        /// An IPv4 or IPv6 address.
        #[schema(value_type = Option<String>, example = "203.0.113.9")]
        pub ip_address: Option<Address>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

/// An IP address as somebody wrote it.
pub struct Address(IpAddr);

impl Parse for Address {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || Complaint::new("invalid_ip_address", "must be an IPv4 or IPv6 address");
        text.trim().parse().map(Self).map_err(|_| complaint())
    }
}

list_of! {
    /// A page of impressions.
    pub struct ImpressionList {
        /// The impressions, oldest first.
        pub impressions: Vec<ImpressionView>
    }
}

/// List impressions
#[utoipa::path(get, path = "/api/v1/impressions", tag = "Impressions", operation_id = "listImpressions",
    params(ImpressionQuery, PageParams),
    responses((status = 200, description = "A page of impressions", body = ImpressionList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<ImpressionQuery>,
) -> Result<Listing<ImpressionList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = ImpressionFilter {
        program_id: filter.program_id,
        poster_id: filter.poster_id,
        ambassador_id: filter.student_id,
    };
    let rows = move |conn: &mut DbConnection, page: &Page| {
        filed_queries::list(conn, &account.id, &filter, page)
    };
    // A scan that is reported late joins the list where it belongs in time.
    answer::list(&app, &request, page, None, rows, ImpressionView::from).await
}

/// Record an impression seen elsewhere
#[utoipa::path(post, path = "/api/v1/impressions", tag = "Impressions", operation_id = "createImpression",
    request_body = CreateImpression,
    params(KeyHeaderParam),
    responses((status = 200, description = "The impression", body = ImpressionView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Caller,
    key: KeyHeader,
    body: Body<CreateImpression>,
) -> Result<Created<ImpressionView>, Error> {
    let Body(body) = body;
    account
        .admit(&app, "poster_id", &body.poster_id, posters::queries::find)
        .await?;
    let now = app.clock.now();
    // Clocks of other systems may be a little ahead of ours.
    if body
        .scanned_at
        .is_some_and(|scanned_at| scanned_at > now.plus_seconds(300))
    {
        let complaint = Complaint::new("in_the_future", "must not lie in the future");
        return Err(Error::field("scanned_at", complaint));
    }
    let told = body
        .scanned_at
        .map_or_else(String::new, |at| at.to_string());
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[body.poster_id.as_str(), &told]),
        key,
    });
    let new = NewImpression {
        poster_id: body.poster_id,
        scanned_at: body.scanned_at,
        user_agent: body
            .user_agent
            .filter(|_| app.config.scan_user_agent == Keep::Full),
        ip_address: body
            .ip_address
            .and_then(|address| peer::kept(address.0, app.config.scan_address))
            .map(|text| Line::cut(&text)),
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
        is_event: app.config.impression_events,
    };
    let recorded = app
        .db
        .write(move |conn, now| {
            let scanned_at = new.scanned_at.unwrap_or(now);
            record(
                conn,
                &account.id,
                ImpressionId::new(scanned_at),
                &new,
                scanned_at,
            )
        })
        .await?;
    Ok(Created::new(recorded, ImpressionView::from))
}

/// Get an impression
#[utoipa::path(get, path = "/api/v1/impressions/{id}", tag = "Impressions", operation_id = "getImpression",
    params(("id" = ImpressionId, Path, description = "The impression's id")),
    responses((status = 200, description = "The impression", body = ImpressionView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ImpressionId>,
) -> Result<web::Json<ImpressionView>, Error> {
    let impression = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(impression.into()))
}
