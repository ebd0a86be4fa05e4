//! `/api/v1/users`: the contract. List and get are published; create and update are ours in the same style.
//! The wire says "user" and "student_id" where the code says ambassador.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::edit::edit;
use super::enrol::enrol;
use super::model::{AmbassadorChanges, AmbassadorFilter, NewAmbassador};
use super::queries;
use super::view::{UserList, UserView};
use crate::acts::model::{Act, Action};
use crate::acts::note::{note_if_changed, note_if_new};
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::answer::{self, Created, Listing};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{AmbassadorId, ProgramId, Wanted};
use crate::programs;
use crate::text::{EmailAddress, IdempotencyKey, Name, WebUrl};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/users")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/users/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// Which ambassadors.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct UserFilter {
        /// Only this program's (also spelt `program_id`).
        #[param(rename = "programId", value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "programId" | "program_id": Option<Wanted<ProgramId>>,
        /// Only this one (also spelt `student_id`).
        #[param(rename = "studentId", value_type = Option<String>, example = "user_123abc")]
        pub student_id = "studentId" | "student_id": Option<Wanted<AmbassadorId>>,
    }
}

narrow!(UserFilter);

impl Filter for UserFilter {
    type Id = AmbassadorId;
}

fields! {
    /// A new ambassador.
    #[derive(ToSchema)]
    pub struct CreateUser {
        /// The program to promote; for good.
        pub program_id: ProgramId,
        /// The ambassador's first name.
        pub first_name: Name,
        /// The ambassador's last name.
        pub last_name: Name,
        /// The ambassador's address.
        pub email: EmailAddress,
        /// Where a picture is. It is never fetched.
        pub profile_picture: Option<WebUrl>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `profile_picture`.
    #[derive(ToSchema)]
    pub struct UpdateUser {
        /// A new first name.
        pub first_name: Option<Name>,
        /// A new last name.
        pub last_name: Option<Name>,
        /// A new address.
        pub email: Option<EmailAddress>,
        /// A new picture, or null for none.
        #[schema(value_type = Option<WebUrl>)]
        pub profile_picture: Option<Option<WebUrl>>,
        /// Keys to set; a key with null is removed.
        pub metadata: Option<SentMetadata>,
    }
}

/// List ambassadors
#[utoipa::path(get, path = "/api/v1/users", tag = "Users", operation_id = "listUsers",
    params(UserFilter, PageParams),
    responses((status = 200, description = "A page of ambassadors", body = UserList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<UserFilter>,
) -> Result<Listing<UserList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = AmbassadorFilter {
        program_id: filter.program_id,
        id: filter.student_id,
    };
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, UserView::from).await
}

/// Enrol an ambassador
#[utoipa::path(post, path = "/api/v1/users", tag = "Users", operation_id = "createUser",
    request_body = CreateUser,
    params(KeyHeaderParam),
    responses((status = 200, description = "The ambassador", body = UserView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Caller,
    key: KeyHeader,
    body: Body<CreateUser>,
) -> Result<Created<UserView>, Error> {
    let Body(body) = body;
    account
        .admit(
            &app,
            "program_id",
            &body.program_id,
            programs::queries::find,
        )
        .await?;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[
            body.program_id.as_str(),
            body.first_name.as_str(),
            body.last_name.as_str(),
            &body.email.folded(),
        ]),
        key,
    });
    let new = NewAmbassador {
        program_id: body.program_id,
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        profile_picture: body.profile_picture,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
    };
    let caller = account.clone();
    let recorded = app
        .db
        .write(move |conn, now| {
            let recorded = enrol(conn, &account.id, AmbassadorId::new(now), &new, now)?;
            note_if_new(conn, &recorded, |new| {
                Act::new(
                    &account.id,
                    Some(&account.key),
                    Action::UserCreated,
                    new.id.as_str(),
                    now,
                )
            })?;
            Ok(recorded)
        })
        .await?;
    Ok(Created::new(caller.given(recorded)?, UserView::from))
}

/// Get an ambassador
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "Users", operation_id = "getUser",
    params(("id" = AmbassadorId, Path, description = "The ambassador's id")),
    responses((status = 200, description = "The ambassador", body = UserView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<AmbassadorId>,
) -> Result<web::Json<UserView>, Error> {
    let ambassador = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(ambassador.into()))
}

/// Update an ambassador
#[utoipa::path(put, path = "/api/v1/users/{id}", tag = "Users", operation_id = "updateUser",
    request_body = UpdateUser,
    params(("id" = AmbassadorId, Path, description = "The ambassador's id")),
    responses((status = 200, description = "The ambassador as it is now", body = UserView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Caller,
    id: PathId<AmbassadorId>,
    body: Result<Body<UpdateUser>, Error>,
) -> Result<web::Json<UserView>, Error> {
    id.held_by(&account, &app, queries::find).await?;
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = AmbassadorChanges {
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        profile_picture: body.profile_picture,
        metadata: SentMetadata::change(body.metadata, app.config.metadata_update),
    };
    let ambassador = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = edit(conn, &account.id, &id.0, &changes, now)?;
            let act = Act::new(
                &account.id,
                Some(&account.key),
                Action::UserUpdated,
                id.0.as_str(),
                now,
            );
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    Ok(web::Json(ambassador.into()))
}
