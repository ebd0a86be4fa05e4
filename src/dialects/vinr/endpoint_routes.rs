//! `/v1/webhook-endpoints`: where what became of referrals is sent, in VINR's words and with its signature. What became of
//! each event there, and everything else about them, is at `/api/v1/webhook-endpoints`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::errors::{self, VinrRefusals, VinrWriteRefusals};
use super::page::{PageSize, Part, VinrList};
use super::views::{EVENT_TYPES, seconds};
use crate::app::App;
use crate::db::{DbConnection, QueryResult};
use crate::dialects::once::{Request, once};
use crate::error::Error;
use crate::http::account::Account;
use crate::http::fields::{FieldValue, fields};
use crate::http::form::{Asked, Sent};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::idempotency::{Recorded, fingerprint as of};
use crate::ids::{AccountId, Id, WebhookEndpointId};
use crate::parse::{Complaint, Parse};
use crate::replies::model::Said;
use crate::text::WebUrl;
use crate::webhooks::create::create as make;
use crate::webhooks::edit::edit;
use crate::webhooks::message::Message;
use crate::webhooks::model::{
    Dialect, Endpoint, EndpointChanges, EventTypes, NewEndpoint, SigningSecret,
};
use crate::webhooks::queries;
use crate::webhooks::routes::acceptable;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/webhook-endpoints")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/webhook-endpoints/{id}")
                .route(web::get().to(show))
                .route(web::post().to(update))
                .route(web::delete().to(delete)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update, delete))]
pub struct Docs;

/// Types of events as VINR names them; one that never happens here is kept, and nothing is ever sent for it.
pub struct Enabled(Vec<String>);

/// As many as anybody needs.
const MOST: usize = 100;
/// All about introductions, in our words.
const ALL: &str = "introduction.*";

impl FieldValue for Enabled {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        let one = value.as_str().map(|one| vec![one.to_owned()]);
        let types: Option<Vec<String>> = one.or_else(|| serde_json::from_value(value).ok());
        match types {
            Some(types) if (1..=MOST).contains(&types.len()) && types.iter().all(is_type) => {
                Ok(Self(types))
            }
            _ => Err(Complaint::new(
                "invalid_events",
                "must be an array of 1 to 100 types of events, or of *",
            )),
        }
    }
}

#[expect(clippy::ptr_arg, reason = "it is what an iterator has")]
fn is_type(text: &String) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_' | b'*');
    (1..=100).contains(&text.len()) && text.bytes().all(fits)
}

impl Enabled {
    fn ours(&self) -> EventTypes {
        let ours = |word: &String| match &**word {
            "*" => ALL.to_owned(),
            word => {
                let mut types = EVENT_TYPES.iter();
                let known = types.find(|(theirs, _)| *theirs == word);
                known.map_or(word, |(_, kind)| kind.as_str()).to_owned()
            }
        };
        EventTypes::foreign(&self.0.iter().map(ours).collect::<Vec<_>>())
    }
}

/// In VINR's words again.
fn theirs(types: &EventTypes) -> Vec<String> {
    let theirs = |ours: String| match &*ours {
        ALL => "*".to_owned(),
        ours => {
            let mut types = EVENT_TYPES.iter();
            let known = types.find(|(_, kind)| kind.as_str() == ours);
            known.map_or(ours, |(theirs, _)| theirs).to_owned()
        }
    };
    types.list().into_iter().map(theirs).collect()
}

/// VINR's ids begin with `we_`.
fn shown(id: &WebhookEndpointId) -> String {
    id.as_str().replacen("whe_", "we_", 1)
}

/// `we_…` in the path, which is `whe_…` here.
struct Named(WebhookEndpointId);

impl Named {
    fn of(path: &web::Path<String>) -> Result<Self, Error> {
        let ours = path.strip_prefix("we_").map(|rest| format!("whe_{rest}"));
        let id = ours.as_deref().and_then(WebhookEndpointId::from_outside);
        id.map(Self).ok_or(Error::NotFound(WebhookEndpointId::NOUN))
    }

    fn find(&self, conn: &mut DbConnection, account: &AccountId) -> QueryResult<Option<Endpoint>> {
        let found = queries::find(conn, account, &self.0)?;
        Ok(found.filter(|endpoint| endpoint.dialect == Dialect::Vinr))
    }

    fn must_find(&self, conn: &mut DbConnection, account: &AccountId) -> Result<Endpoint, Error> {
        let found = self.find(conn, account)?;
        found.ok_or(Error::NotFound(WebhookEndpointId::NOUN))
    }
}

/// Whether anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VinrEndpointStatus {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
}

impl Parse for VinrEndpointStatus {
    fn parse(word: &str) -> Result<Self, Complaint> {
        match word {
            "enabled" => Ok(Self::Enabled),
            "disabled" => Ok(Self::Disabled),
            _ => Err(Complaint::new(
                "unknown_value",
                "must be one of enabled, disabled",
            )),
        }
    }
}

/// Where events are sent.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "we_0h5m8k2q9sx7v3n1b6tz", "url": "https://example.com/hooks", "status": "enabled", "enabled_events": ["*"],
    "created": 1_731_000_000
}))]
pub struct VinrWebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// Where to.
    pub url: WebUrl,
    /// Whether anything is sent.
    pub status: VinrEndpointStatus,
    /// The types of events it wants; `*`: all.
    pub enabled_events: Vec<String>,
    /// Signs what is sent. Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub secret: Option<String>,
    /// When it was made, in Unix seconds.
    pub created: i64,
}

impl From<Endpoint> for VinrWebhookEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: shown(&endpoint.id),
            url: endpoint.url,
            status: match endpoint.enabled {
                1 => VinrEndpointStatus::Enabled,
                _ => VinrEndpointStatus::Disabled,
            },
            enabled_events: endpoint.types.as_ref().map(theirs).unwrap_or_default(),
            secret: None,
            created: seconds(endpoint.created_at),
        }
    }
}

/// It is gone.
#[derive(Serialize, ToSchema)]
pub struct VinrDeleted {
    /// `we_…`
    pub id: String,
    /// True.
    pub deleted: bool,
}

fields! {
    /// A new endpoint.
    #[derive(ToSchema)]
    #[schema(as = VinrCreateWebhookEndpoint)]
    pub struct CreateEndpoint {
        /// Where to: `https://`, at a public address.
        pub url: WebUrl,
        /// The types of events it wants; `*`, or left out: all. Also as `enabled_events[]`.
        #[schema(value_type = Option<Vec<String>>)]
        pub enabled_events: Option<Enabled>,
    }
}

fields! {
    /// What is to change; what is left out stays.
    #[derive(ToSchema)]
    #[schema(as = VinrUpdateWebhookEndpoint)]
    pub struct UpdateEndpoint {
        /// Another address.
        pub url: Option<WebUrl>,
        /// Other types.
        #[schema(value_type = Option<Vec<String>>)]
        pub enabled_events: Option<Enabled>,
        /// On or off.
        pub status: Option<VinrEndpointStatus>,
    }
}

fields! {
    /// Which endpoints, newest first.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListEndpoints {
        /// How many, 1 to 100; 10 when left out.
        #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
        pub limit: Option<PageSize>,
        /// The id of the last one seen: those made before it.
        pub starting_after: Option<String>,
        /// The id of the first one seen: those made after it.
        pub ending_before: Option<String>,
    }
}

/// Create a webhook endpoint
///
/// The answer has the secret in it, which is not shown again. A test event is sent at once.
#[utoipa::path(post, path = "/v1/webhook-endpoints", tag = "VINR", operation_id = "vinrCreateWebhookEndpoint",
    request_body(content((CreateEndpoint = "application/json"), (CreateEndpoint = "application/x-www-form-urlencoded"))),
    params(KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 201, description = "The endpoint, with its secret", body = VinrWebhookEndpoint), VinrWriteRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    sent: Sent<CreateEndpoint>,
) -> Result<HttpResponse, Error> {
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account: account.clone(),
        operation: "vinr create webhook endpoint",
        key: key.or(None)?,
        fingerprint,
        refusal: errors::said,
    };
    let secret = SigningSecret::random();
    let all = || Enabled(vec!["*".to_owned()]);
    let new = body.and_then(|body| {
        acceptable(&app, &body.url).map_err(|error| error.fields().to_vec())?;
        Ok(NewEndpoint {
            url: body.url,
            dialect: Dialect::Vinr,
            types: Some(body.enabled_events.unwrap_or_else(all).ours()),
            description: None,
            enabled: true,
            secret: secret.clone(),
            retry: None,
        })
    });
    let url = new.as_ref().ok().map(|new| new.url.clone());
    let shown_secret = secret.clone();
    let answer = once(&app, asked, move |conn, id, now| {
        let new = new.as_ref().map_err(super::invalid)?;
        let (Recorded::New(endpoint) | Recorded::Replayed(endpoint)) = make(conn, id, new, now)?;
        let view = VinrWebhookEndpoint {
            secret: Some(shown_secret.as_str().to_owned()),
            ..endpoint.into()
        };
        Said::new(StatusCode::CREATED, &view)
    })
    .await?;
    if let Some(url) = url.filter(|_| answer.status() == StatusCode::CREATED && !is_replay(&answer))
    {
        try_out(&app, url, secret);
    }
    Ok(answer)
}

fn is_replay(answer: &HttpResponse) -> bool {
    answer.headers().contains_key("idempotent-replayed")
}

/// Sends a test without anybody waiting for what comes of it.
fn try_out(app: &web::Data<App>, url: WebUrl, secret: SigningSecret) {
    let app = app.clone();
    actix_web::rt::spawn(async move {
        let now = app.clock.now();
        let message = Message::test(Dialect::Vinr, &WebhookEndpointId::new(now), now);
        let attempt = app.webhooks.send(&url, &[secret], &message, now).await;
        if let Err(error) = attempt {
            log::warn!("a test could not be sent: {error:?}");
        }
    });
}

/// Update a webhook endpoint
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}", tag = "VINR", operation_id = "vinrUpdateWebhookEndpoint",
    request_body(content((UpdateEndpoint = "application/json"), (UpdateEndpoint = "application/x-www-form-urlencoded"))),
    params(("id" = String, Path, description = "The endpoint's id"), KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The endpoint as it is now", body = VinrWebhookEndpoint), VinrWriteRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    id: web::Path<String>,
    sent: Sent<UpdateEndpoint>,
) -> Result<HttpResponse, Error> {
    let named = Named::of(&id)?;
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account,
        operation: "vinr update webhook endpoint",
        key: key.or(None)?,
        fingerprint: of(&[named.0.as_str(), &fingerprint]),
        refusal: errors::said,
    };
    let changes = body.and_then(|body| {
        if let Some(url) = &body.url {
            acceptable(&app, url).map_err(|error| error.fields().to_vec())?;
        }
        Ok(EndpointChanges {
            url: body.url,
            types: body.enabled_events.map(|enabled| Some(enabled.ours())),
            description: None,
            enabled: body
                .status
                .map(|status| status == VinrEndpointStatus::Enabled),
        })
    });
    once(&app, asked, move |conn, account, now| {
        named.must_find(conn, account)?;
        let changes = changes.as_ref().map_err(super::invalid)?;
        let endpoint = edit(conn, account, &named.0, changes, now)?;
        Said::new(StatusCode::OK, &VinrWebhookEndpoint::from(endpoint))
    })
    .await
}

/// Retrieve a webhook endpoint
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", tag = "VINR", operation_id = "vinrGetWebhookEndpoint",
    params(("id" = String, Path, description = "The endpoint's id")),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The endpoint", body = VinrWebhookEndpoint), VinrRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: web::Path<String>,
) -> Result<web::Json<VinrWebhookEndpoint>, Error> {
    let named = Named::of(&id)?;
    let look = move |conn: &mut DbConnection| named.must_find(conn, &account.id);
    Ok(web::Json(app.db.read(look).await?.into()))
}

/// Delete a webhook endpoint
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", tag = "VINR", operation_id = "vinrDeleteWebhookEndpoint",
    params(("id" = String, Path, description = "The endpoint's id")),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "It is gone", body = VinrDeleted), VinrRefusals))]
async fn delete(
    app: web::Data<App>,
    account: Account,
    id: web::Path<String>,
) -> Result<web::Json<VinrDeleted>, Error> {
    let named = Named::of(&id)?;
    let work = move |conn: &mut DbConnection, _| {
        named.must_find(conn, &account.id)?;
        queries::delete(conn, &account.id, &named.0)?;
        Ok(VinrDeleted {
            id: shown(&named.0),
            deleted: true,
        })
    };
    Ok(web::Json(app.db.write(work).await?))
}

/// List webhook endpoints
#[utoipa::path(get, path = "/v1/webhook-endpoints", tag = "VINR", operation_id = "vinrListWebhookEndpoints",
    params(ListEndpoints),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The endpoints, newest first", body = VinrList<VinrWebhookEndpoint>), VinrRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    query: Asked<ListEndpoints>,
) -> Result<web::Json<VinrList<VinrWebhookEndpoint>>, Error> {
    let Asked(query) = query;
    let mut part = Part::new(query.limit, query.starting_after, query.ending_before)?;
    let load = move |conn: &mut DbConnection| {
        if let Some(cursor) = part.page.after.take() {
            let named = Named::of(&cursor.into()).map_err(|_| part.no_such_cursor())?;
            let found = named.find(conn, &account.id)?;
            found.ok_or_else(|| part.no_such_cursor())?;
            part.page.after = Some(named.0.as_str().to_owned());
        }
        let rows = queries::list_speaking(conn, &account.id, Dialect::Vinr, &part.page)?;
        let (rows, has_more) = part.list(rows);
        let data = rows.into_iter().map(VinrWebhookEndpoint::from).collect();
        Ok(VinrList::of(data, has_more))
    };
    Ok(web::Json(app.db.read(load).await?))
}
