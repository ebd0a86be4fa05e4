//! `/api/v1/programs/{id}/rules`: ours. What a program pays by, version by version.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

use super::model::{Rule, RuleVersion};
use super::publish::publish;
use super::queries;
use crate::acts::model::{Act, Action};
use crate::acts::note::note_if_changed;
use crate::app::App;
use crate::bounds::{Bounds, Narrow};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::{Account, Caller};
use crate::http::answer::{self, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{Fields, FromFields};
use crate::http::openapi::{PartsRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{ApiKeyId, ProgramId};
use crate::parse::Complaint;
use crate::programs;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/programs/{id}/rules")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(web::resource("/programs/{id}/rules/{version}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show))]
pub struct Docs;

/// What a rule is called when there is none.
const NOUN: &str = "Rule";

/// All of a program's versions.
pub struct RuleFilter;

impl FromFields for RuleFilter {
    fn from_fields(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

impl Narrow for RuleFilter {
    fn within(self, _: &Bounds) -> Option<Self> {
        Some(self)
    }
}

impl Filter for RuleFilter {
    type Id = ProgramId;

    /// Versions have no ids; a version is its own cursor.
    fn cursor(text: String) -> Result<String, Error> {
        match number(&text) {
            Some(_) => Ok(text),
            None => {
                let complaint =
                    Complaint::new("invalid_cursor", "must be a version from this list");
                Err(Error::field("after", complaint))
            }
        }
    }
}

/// A rule to publish.
#[derive(ToSchema)]
#[schema(example = json!({ "rule": {
    "commission": { "type": "tiers", "by": "conversions", "period": "month",
        "tiers": [{ "from": 0, "basis_points": 500 }, { "from": 10, "basis_points": 800 }] },
    "applies": { "to": "first_purchase" }
} }))]
pub struct CreateRule {
    /// The rule. A key that is not known is refused, in the whole of it.
    pub rule: Rule,
}

impl FromFields for CreateRule {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let rule = fields.take_part("rule", |value| Rule::read(value.as_ref(), "rule"));
        Some(Self { rule: rule? })
    }
}

/// A rule as a program published it.
#[derive(Serialize, ToSchema)]
#[schema(as = RuleVersion, example = json!({
    "program_id": "prog_123abc", "version": 1,
    "rule": {
        "commission": { "type": "percent", "basis_points": 1000 }, "applies": { "to": "every_purchase" },
        "kinds": ["purchase", "subscription", "renewal"],
        "caps": { "per_referral": null, "per_ambassador": null }, "bonuses": []
    },
    "created_at": "2024-01-10T09:00:00Z", "created_by": "key_0h5m8k2q9sx7v3n1b6tz"
}))]
pub struct RuleVersionView {
    /// The version as text, which is what a walk through the list goes on from.
    #[serde(skip)]
    id: String,
    /// The program that pays by it.
    pub program_id: ProgramId,
    /// 1, 2, 3 …
    #[schema(minimum = 1, example = 1)]
    pub version: i64,
    /// What was published, every key of it there.
    pub rule: Rule,
    /// When.
    pub created_at: Timestamp,
    /// With which API key; null, if the program is older than its rules.
    #[schema(required)]
    pub created_by: Option<ApiKeyId>,
}

impl From<RuleVersion> for RuleVersionView {
    fn from(published: RuleVersion) -> Self {
        Self {
            id: published.version.to_string(),
            program_id: published.program_id,
            version: published.version,
            rule: published.rule,
            created_at: published.created_at,
            created_by: published.created_by,
        }
    }
}

list_of! {
    /// A page of a program's rules.
    pub struct RuleList {
        /// The versions, the newest last. That is the one that sales are paid by.
        pub rules: Vec<RuleVersionView>
    }
}

/// List a program's rules
///
/// `after` is a version.
#[utoipa::path(get, path = "/api/v1/programs/{id}/rules", tag = "Rules", operation_id = "listRules",
    params(("id" = ProgramId, Path, description = "The program's id"), PageParams),
    responses((status = 200, description = "A page of the program's rules", body = RuleList), PartsRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ProgramId>,
    request: HttpRequest,
    query: Result<ListQuery<RuleFilter>, Error>,
) -> Result<Listing<RuleList>, Error> {
    id.find(&app, &account, programs::queries::find).await?;
    let page = query?.page;
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &id.0, page);
    answer::list(&app, &request, page, None, rows, RuleVersionView::from).await
}

/// Publish a rule
///
/// It becomes the program's next version, and sales are paid by it from now on. The current rule once more changes
/// nothing, so a retry is safe.
#[utoipa::path(post, path = "/api/v1/programs/{id}/rules", tag = "Rules", operation_id = "publishRule",
    request_body = CreateRule,
    params(("id" = ProgramId, Path, description = "The program's id")),
    responses((status = 200, description = "The current version", body = RuleVersionView), UpdateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    id: PathId<ProgramId>,
    body: Result<Body<CreateRule>, Error>,
) -> Result<web::Json<RuleVersionView>, Error> {
    let body = for_existing(body, id.find(&app, &account, programs::queries::find)).await?;
    let write = move |conn: &mut DbConnection, now| {
        let (owner, key) = (&account.id, &account.key);
        let before = queries::find_current(conn, owner, &id.0)?;
        let after = publish(conn, owner, key, &id.0, body.rule.clone(), now)?;
        let act = Act::new(owner, Some(key), Action::RulePublished, id.0.as_str(), now)
            .saying(&json!({ "version": after.version }));
        note_if_changed(conn, before.as_ref(), &after, &act)?;
        Ok(after)
    };
    Ok(web::Json(app.db.write(write).await?.into()))
}

/// Get a version of a rule
#[utoipa::path(get, path = "/api/v1/programs/{id}/rules/{version}", tag = "Rules", operation_id = "getRule",
    params(
        ("id" = ProgramId, Path, description = "The program's id"),
        ("version" = i64, Path, description = "The version"),
    ),
    responses((status = 200, description = "The version", body = RuleVersionView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ProgramId>,
    request: HttpRequest,
) -> Result<web::Json<RuleVersionView>, Error> {
    // Bound keys see the rules of their program; for others the statement below says all.
    if account.bounds.is_some() {
        let known = id.find(&app, &account, programs::queries::find).await;
        known.map_err(|_| Error::NotFound(NOUN))?;
    }
    let version = request.match_info().get("version").and_then(number);
    let version = version.ok_or(Error::NotFound(NOUN))?;
    let found = app
        .db
        .read(move |conn| Ok(queries::find(conn, &account.id, &id.0, version)?))
        .await?;
    Ok(web::Json(found.ok_or(Error::NotFound(NOUN))?.into()))
}

/// A version as we write it: text that looks otherwise names none.
fn number(text: &str) -> Option<i64> {
    let version: i64 = text.parse().ok()?;
    (version >= 0 && version.to_string() == text).then_some(version)
}
