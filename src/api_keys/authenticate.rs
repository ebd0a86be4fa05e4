//! Whose request is this: `Authorization: Bearer sk_…` → account, before anything else is looked at.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

use super::model::Secret;
use super::queries;
use crate::app::App;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::peer;
use crate::http::strangers::Strangers;
use crate::http::surface;

/// Wraps the routes that need a key: finds the account, counts the request against the key's limit.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let account = match identify(&request).await {
        Ok(account) => account,
        Err(error) => return Ok(refused(request, error)),
    };
    let standing = request.app_data::<web::Data<App>>().and_then(|app| {
        let limit = app.rate_limit.as_ref()?;
        Some(limit.count(&account.key, app.clock.now()))
    });
    if let Some(Err(standing)) = standing {
        let error = Error::TooManyRequests(standing.wait);
        let mut response = request.error_response(error);
        standing.tell(response.headers_mut());
        return Ok(response);
    }
    request.extensions_mut().insert(account);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(Ok(standing)) = standing {
        standing.tell(response.headers_mut());
    }
    Ok(response)
}

/// The refusal. Failing costs the address, and nobody's key.
fn refused(request: ServiceRequest, error: Error) -> ServiceResponse {
    let wait = match (&error, strangers(&request)) {
        (Error::Unauthorized, Some((strangers, address))) => strangers.count(address),
        _ => None,
    };
    request.error_response(wait.map_or(error, Error::TooManyRequests))
}

/// Who counts failures, and the address to count them for.
fn strangers(request: &ServiceRequest) -> Option<(&Strangers, IpAddr)> {
    let app = request.app_data::<web::Data<App>>()?;
    let address = peer::address(request.request(), &app.config.trusted_proxies)?;
    Some((app.strangers.as_ref()?, address))
}

async fn identify(request: &ServiceRequest) -> Result<Account, Error> {
    let secret = presented(request).ok_or(Error::Unauthorized)?;
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or_else(|| Error::internal("the application's state is missing"))?;
    let hash = secret.hash();
    let question = hash.clone();
    let look_up = async {
        let is_new = app.keys.last(&question).is_none();
        let shut = strangers(request).filter(|_| is_new);
        if let Some(wait) = shut.and_then(|(strangers, address)| strangers.shut(address)) {
            return Err(Error::TooManyRequests(wait));
        }
        let find = move |conn: &mut DbConnection| Ok(queries::find_live(conn, &hash)?);
        let key = app.db.read(find).await?;
        Ok(key.map(|key| Account {
            id: key.account_id,
            key: key.id,
        }))
    };
    let known = app.keys.get(&question, look_up).await?;
    known.ok_or(Error::Unauthorized)
}

/// The secret of the one `Authorization` header, or of the surface's own. Two that differ are a contradiction, not a
/// choice.
fn presented(request: &ServiceRequest) -> Option<Secret> {
    let own = surface::of(request.path()).map(|surface| surface.key_header);
    let own = own.map_or(Ok(None), |name| the_one(request.headers().get_all(name)));
    let bearer = the_one(request.headers().get_all(AUTHORIZATION));
    let token = match (bearer.ok()?.map(bearer_token), own.ok()?) {
        (None, None) => return None,
        (Some(bearer), None) => bearer?,
        (None, Some(own)) => own,
        (Some(bearer), Some(own)) => bearer.filter(|bearer| *bearer == own)?,
    };
    token.starts_with("sk_").then(|| Secret::presented(token))
}

/// The text of the one header among `values`, if there is any. `Err`: there are several, or it is no text.
fn the_one<'a>(mut values: impl Iterator<Item = &'a HeaderValue>) -> Result<Option<&'a str>, ()> {
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(|text| Some(text.trim())).map_err(drop),
        (Some(_), Some(_)) => Err(()),
    }
}

fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
