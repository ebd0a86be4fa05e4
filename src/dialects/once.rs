//! An answer that is given once and then repeated, under the caller's `Idempotency-Key`.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::surface::{RequestId, Told};
use crate::replies::keep::{keep, look_up};
use crate::replies::model::{Repeatable, Said};
use crate::text::IdempotencyKey;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A request that may be a repetition.
pub struct Request<'a> {
    /// As it came.
    pub http: &'a HttpRequest,
    /// Whose it is.
    pub account: Account,
    /// What is asked for.
    pub operation: &'static str,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
    /// What it must be repeated with.
    pub fingerprint: String,
    /// How the dialect says that something failed.
    pub refusal: fn(&Error, Told<'_>) -> Said,
}

impl Said {
    /// `object` as an answer.
    pub fn new(status: StatusCode, object: &impl Serialize) -> Result<Self, Error> {
        Ok(Self {
            status: status.as_u16(),
            body: serde_json::to_string(object).map_err(Error::internal)?,
        })
    }

    /// The answer.
    pub fn response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        HttpResponse::build(status)
            .content_type(ContentType::json())
            .body(self.body)
    }
}

/// Does `work` in a write and answers what it says; or repeats what was answered to the same key. Refusals are kept too,
/// but for those that say nothing about the request: no permission, too many, a defect.
///
/// # Errors
/// What `work` and the database fail with, where that is not kept.
pub async fn once(
    app: &App,
    request: Request<'_>,
    work: impl Fn(&mut DbConnection, &Account, Timestamp) -> Result<Said, Error> + Send + 'static,
) -> Result<HttpResponse, Error> {
    let account = request.account;
    let Some(key) = request.key else {
        let said = app
            .db
            .write(move |conn, now| work(conn, &account, now))
            .await?;
        return Ok(said.response());
    };
    let repeatable = Repeatable {
        account_id: account.id,
        operation: request.operation,
        key,
        fingerprint: request.fingerprint,
    };
    let (asked, keys) = (repeatable.clone(), app.config.webhooks.keys.clone());
    let done = app.db.write(move |conn, now| {
        if let Some(said) = look_up(conn, &asked, &keys, now)? {
            return Ok((said, true));
        }
        let said = work(conn, &account, now)?;
        keep(conn, &asked, &said, &keys, now)?;
        Ok((said, false))
    });
    match done.await {
        Ok((said, true)) => Ok(replayed(said)),
        Ok((said, false)) => Ok(said.response()),
        Err(error) if says_nothing_about_the_request(&error) => Err(error),
        Err(error) => {
            let id = request.http.extensions().get::<RequestId>().cloned();
            let told = Told {
                request_id: id.as_ref().map_or("", |id| &id.0),
                public_url: &app.public_url,
                at: app.clock.now(),
            };
            let said = (request.refusal)(&error, told);
            let (kept, keys) = (said.clone(), app.config.webhooks.keys.clone());
            let first = app.db.write(move |conn, now| {
                // Somebody with the same key may have been refused first.
                let first = look_up(conn, &repeatable, &keys, now)?;
                if first.is_none() {
                    keep(conn, &repeatable, &kept, &keys, now)?;
                }
                Ok(first)
            });
            Ok(first.await?.map_or_else(|| said.response(), replayed))
        }
    }
}

fn replayed(said: Said) -> HttpResponse {
    let mut response = said.response();
    let headers = response.headers_mut();
    headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Whether this is what was answered to another request with the same key.
pub fn is_replay(answer: &HttpResponse) -> bool {
    answer.headers().contains_key(IDEMPOTENT_REPLAYED)
}

fn says_nothing_about_the_request(error: &Error) -> bool {
    match error {
        Error::Conflict { code, .. } => {
            code.starts_with("idempotency_key") || *code == "changed_meanwhile"
        }
        Error::Invalid(_) | Error::NotFound(_) => false,
        _ => true,
    }
}
