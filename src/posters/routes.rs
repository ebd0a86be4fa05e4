//! `/api/v1/posters`: the contract. List and get are published; create and
//! update, and the fields `code`, `scan_url`, `landing_url` and `status`, are ours.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::edit::edit;
use super::hang::hang;
use super::model::{NewPoster, PosterChanges, PosterCode, PosterFilter, PosterStatus};
use super::queries;
use super::view::PosterView;
use crate::acts::model::{Act, Action};
use crate::acts::note::{note_if_changed, note_if_new};
use crate::ambassadors;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{AmbassadorId, PosterId, ProgramId, Wanted};
use crate::text::{IdempotencyKey, Line, WebUrl};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/posters")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/posters/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// Which posters.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct PosterQuery {
        /// Only this program's (also spelt `program_id`).
        #[param(rename = "programId", value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "programId" | "program_id": Option<Wanted<ProgramId>>,
        /// Only this ambassador's (also spelt `student_id`).
        #[param(rename = "studentId", value_type = Option<String>, example = "user_123abc")]
        pub student_id = "studentId" | "student_id": Option<Wanted<AmbassadorId>>,
        /// Only those that hang, or only retired ones.
        pub status: Option<PosterStatus>,
    }
}

narrow!(PosterQuery);

impl Filter for PosterQuery {
    type Id = PosterId;
}

fields! {
    /// A new poster. Its code is made by the server.
    #[derive(ToSchema)]
    pub struct CreatePoster {
        /// Who hangs it.
        pub student_id: AmbassadorId,
        /// May be left out: it is the ambassador's.
        pub program_id: Option<ProgramId>,
        /// Where it hangs, at most 255 characters.
        pub location: Option<Line>,
        /// Where its scans lead, if not where the program's lead.
        pub landing_url: Option<WebUrl>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `location` and `landing_url`.
    #[derive(ToSchema)]
    pub struct UpdatePoster {
        /// A new place, or null for none.
        #[schema(value_type = Option<Line>)]
        pub location: Option<Option<Line>>,
        /// A new destination, or null for the program's.
        #[schema(value_type = Option<WebUrl>)]
        pub landing_url: Option<Option<WebUrl>>,
        /// `retired` takes it down: a scan gets a page that says so. `active` puts it back up.
        pub status: Option<PosterStatus>,
        /// Keys to set; a key with null is removed.
        pub metadata: Option<SentMetadata>,
    }
}

list_of! {
    /// A page of posters.
    pub struct PosterList {
        /// The posters, oldest first.
        pub posters: Vec<PosterView>
    }
}

/// List posters
#[utoipa::path(get, path = "/api/v1/posters", tag = "Posters", operation_id = "listPosters",
    params(PosterQuery, PageParams),
    responses((status = 200, description = "A page of posters", body = PosterList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<PosterQuery>,
) -> Result<Listing<PosterList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = PosterFilter {
        program_id: filter.program_id,
        ambassador_id: filter.student_id,
        status: filter.status,
    };
    let public_url = app.public_url.clone();
    // Statuses change.
    let stable = filter
        .status
        .is_none()
        .then(|| format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, move |row| {
        PosterView::new(row, &public_url)
    })
    .await
}

/// Create a poster
#[utoipa::path(post, path = "/api/v1/posters", tag = "Posters", operation_id = "createPoster",
    request_body = CreatePoster,
    params(KeyHeaderParam),
    responses((status = 200, description = "The poster", body = PosterView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Caller,
    key: KeyHeader,
    body: Body<CreatePoster>,
) -> Result<Created<PosterView>, Error> {
    let Body(body) = body;
    account
        .admit(
            &app,
            "student_id",
            &body.student_id,
            ambassadors::queries::find,
        )
        .await?;
    let ambassador_id = body.student_id;
    let location = body.location.as_ref().map_or("", Line::as_str);
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[ambassador_id.as_str(), location]),
        key,
    });
    let new = NewPoster {
        codes: std::array::from_fn(|_| PosterCode::random()),
        ambassador_id,
        program_id: body.program_id,
        location: body.location,
        landing_url: body.landing_url,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
        public_url: app.public_url.clone(),
    };
    let recorded = app
        .db
        .write(move |conn, now| {
            let recorded = hang(conn, &account.id, PosterId::new(now), &new, now)?;
            note_if_new(conn, &recorded, |new| {
                Act::new(
                    &account.id,
                    Some(&account.key),
                    Action::PosterCreated,
                    new.id.as_str(),
                    now,
                )
            })?;
            Ok(recorded)
        })
        .await?;
    Ok(Created::new(recorded, |poster| {
        PosterView::new(poster, &app.public_url)
    }))
}

/// Get a poster
#[utoipa::path(get, path = "/api/v1/posters/{id}", tag = "Posters", operation_id = "getPoster",
    params(("id" = PosterId, Path, description = "The poster's id")),
    responses((status = 200, description = "The poster", body = PosterView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<PosterId>,
) -> Result<web::Json<PosterView>, Error> {
    let poster = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(PosterView::new(poster, &app.public_url)))
}

/// Update or retire a poster
#[utoipa::path(put, path = "/api/v1/posters/{id}", tag = "Posters", operation_id = "updatePoster",
    request_body = UpdatePoster,
    params(("id" = PosterId, Path, description = "The poster's id")),
    responses((status = 200, description = "The poster as it is now", body = PosterView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Caller,
    id: PathId<PosterId>,
    body: Result<Body<UpdatePoster>, Error>,
) -> Result<web::Json<PosterView>, Error> {
    id.held_by(&account, &app, queries::find).await?;
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = PosterChanges {
        location: body.location,
        landing_url: body.landing_url,
        status: body.status,
        metadata: SentMetadata::change(body.metadata, app.config.metadata_update),
        public_url: app.public_url.clone(),
    };
    let poster = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = edit(conn, &account.id, &id.0, &changes, now)?;
            let act = Act::new(
                &account.id,
                Some(&account.key),
                Action::PosterUpdated,
                id.0.as_str(),
                now,
            );
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    app.hanging.forget();
    Ok(web::Json(PosterView::new(poster, &app.public_url)))
}
