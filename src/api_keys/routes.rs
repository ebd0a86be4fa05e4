//! `/api/v1/keys`: the contract. Only secret keys may make, see and end keys.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use super::issue::grant;
use super::model::{KeyKind, NewKey, Scopes, Secret};
use super::view::{KeyList, KeyView};
use super::{queries, revoke, rotate};
use crate::acts::model::{Act, Action};
use crate::acts::note::{note_if_changed, note_if_new};
use crate::app::App;
use crate::bounds::narrow;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Created, Listing};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{FieldValue, Fields, FromFields, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{AmbassadorId, ApiKeyId, ProgramId};
use crate::parse::Complaint;
use crate::text::{IdempotencyKey, Name};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/keys/{id}:rotate").route(web::post().to(replace)))
        .service(
            web::resource("/keys")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/keys/{id}")
                .route(web::get().to(show))
                .route(web::delete().to(end)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, end, replace))]
pub struct Docs;

/// Which keys: all of them.
pub struct KeyFilter;

impl FromFields for KeyFilter {
    fn from_fields(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

narrow!(KeyFilter: never);

impl Filter for KeyFilter {
    type Id = ApiKeyId;
}

impl FieldValue for Scopes {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        let words: Option<Vec<String>> = serde_json::from_value(value).ok();
        Self::new(&words.ok_or_else(|| Complaint::wrong_type("an array of strings"))?)
    }
}

/// For how many hours an old key goes on.
pub struct Overlap(i64);

impl FieldValue for Overlap {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        match value.as_i64() {
            Some(hours @ 0..=168) => Ok(Self(hours)),
            _ => Err(Complaint::new(
                "invalid_overlap",
                "must be a whole number of hours, 0 to 168",
            )),
        }
    }
}

fields! {
    /// A new key.
    #[derive(ToSchema)]
    #[schema(example = json!({
        "name": "Dashboard of Alice", "kind": "restricted", "scopes": ["posters:read", "stats:read"],
        "student_id": "user_123abc"
    }))]
    pub struct CreateKey {
        /// What it is for.
        pub name: Name,
        /// `secret` opens everything, `restricted` its scopes, `publishable` what is public.
        pub kind: KeyKind,
        /// What a restricted key may do, such as `referrals:read`. Every operation names its scope.
        #[schema(value_type = Option<Vec<String>>, min_items = 1)]
        pub scopes: Option<Scopes>,
        /// Binds the key to this program: it sees nothing else, and writes nowhere else. Not for secret keys.
        pub program_id: Option<ProgramId>,
        /// Binds the key to this ambassador. Not for secret keys.
        pub student_id: Option<AmbassadorId>,
        /// When it is to stop working by itself; never when left out.
        pub expires_at: Option<Timestamp>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// How to put another key in the place of one.
    #[derive(ToSchema)]
    pub struct RotateKey {
        /// For how many hours the old key goes on working, 0 to 168; 24 when left out.
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 168, example = 24)]
        pub overlap_hours: Option<Overlap>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

/// List keys
#[utoipa::path(get, path = "/api/v1/keys", tag = "Keys", operation_id = "listKeys",
    params(PageParams),
    responses((status = 200, description = "A page of keys", body = KeyList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<KeyFilter>,
) -> Result<Listing<KeyList>, Error> {
    let stable = Some(format!("{} keys", account.id));
    let rows = move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, page);
    answer::list(&app, &request, query.page, stable, rows, KeyView::from).await
}

/// Create a key
///
/// The answer has the secret in it, which is not shown again: only its hash is kept. A retry with the same
/// `idempotency_key` answers the key without its secret; whoever lost that rotates the key, or ends it.
#[utoipa::path(post, path = "/api/v1/keys", tag = "Keys", operation_id = "createKey",
    request_body = CreateKey,
    params(KeyHeaderParam),
    responses((status = 200, description = "The key, with its secret; without it, if it was made before", body = KeyView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateKey>,
) -> Result<Created<KeyView>, Error> {
    let Body(body) = body;
    let new = new_key(body, key)?;
    let work = move |conn: &mut DbConnection, now| {
        let secret = Secret::of_kind(new.kind);
        let recorded = grant(conn, &account.id, ApiKeyId::new(now), &new, &secret, now)?;
        note_if_new(conn, &recorded, |key| {
            act(&account, Action::KeyCreated, &key.id, now)
        })?;
        Ok(KeyView::once(recorded, &secret))
    };
    Ok(Created::new(app.db.write(work).await?, |view| view))
}

fn new_key(body: CreateKey, key: KeyHeader) -> Result<NewKey, Error> {
    let scopes = body.scopes.unwrap_or_else(Scopes::none);
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[
            body.name.as_str(),
            body.kind.as_str(),
            scopes.as_str(),
            body.program_id.as_ref().map_or("", ProgramId::as_str),
            body.student_id.as_ref().map_or("", AmbassadorId::as_str),
            &body
                .expires_at
                .map_or_else(String::new, |end| end.micros().to_string()),
        ]),
        key,
    });
    Ok(NewKey {
        name: body.name,
        kind: body.kind,
        scopes,
        program_id: body.program_id,
        ambassador_id: body.student_id,
        expires_at: body.expires_at,
        replaces: None,
        retry,
    })
}

/// Get a key
#[utoipa::path(get, path = "/api/v1/keys/{id}", tag = "Keys", operation_id = "getKey",
    params(("id" = ApiKeyId, Path, description = "The key's id")),
    responses((status = 200, description = "The key", body = KeyView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<ApiKeyId>,
) -> Result<web::Json<KeyView>, Error> {
    let key = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(key.into()))
}

/// End a key
///
/// Requests with it are refused from now on, in other processes within a second. It stays in the list.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "Keys", operation_id = "revokeKey",
    params(("id" = ApiKeyId, Path, description = "The key's id")),
    responses((status = 204, description = "It has ended"), ShowRefusals))]
async fn end(
    app: web::Data<App>,
    account: Account,
    id: PathId<ApiKeyId>,
) -> Result<HttpResponse, Error> {
    let work = move |conn: &mut DbConnection, now| {
        let before = queries::find(conn, &account.id, &id.0)?;
        let key = revoke::revoke(conn, &account.id, &id.0, now)?;
        let act = act(&account, Action::KeyRevoked, &key.id, now);
        note_if_changed(conn, before.as_ref(), &key, &act)
    };
    app.db.write(work).await?;
    app.keys.forget();
    Ok(HttpResponse::NoContent().finish())
}

/// Put another key in the place of one
///
/// The new key opens what the old one does, and the old one goes on working for a while. A retry with the same
/// `idempotency_key` answers the new key without its secret.
#[utoipa::path(post, path = "/api/v1/keys/{id}:rotate", tag = "Keys", operation_id = "rotateKey",
    request_body = RotateKey,
    params(("id" = ApiKeyId, Path, description = "The key's id"), KeyHeaderParam),
    responses((status = 200, description = "The new key, with its secret; without it, if it was made before", body = KeyView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        UpdateRefusals))]
async fn replace(
    app: web::Data<App>,
    account: Account,
    id: PathId<ApiKeyId>,
    key: KeyHeader,
    body: Result<Body<RotateKey>, Error>,
) -> Result<Created<KeyView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let overlap = body.overlap_hours.map_or(24, |hours| hours.0) * 3600;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[id.0.as_str(), &overlap.to_string()]),
        key,
    });
    let work = move |conn: &mut DbConnection, now| {
        let old = queries::find(conn, &account.id, &id.0)?;
        let secret = Secret::of_kind(old.map_or(KeyKind::Secret, |key| key.kind));
        let (owner, retry) = (&account.id, retry.as_ref());
        let recorded = rotate::rotate(conn, owner, &id.0, &secret, overlap, retry, now)?;
        note_if_new(conn, &recorded, |new| {
            let made = json!({ "new_key": new.id });
            act(&account, Action::KeyRotated, &id.0, now).saying(&made)
        })?;
        Ok(KeyView::once(recorded, &secret))
    };
    let recorded = app.db.write(work).await?;
    app.keys.forget();
    Ok(Created::new(recorded, |view| view))
}

fn act(account: &Account, action: Action, key: &ApiKeyId, now: Timestamp) -> Act {
    Act::new(&account.id, Some(&account.key), action, key.as_str(), now)
}
