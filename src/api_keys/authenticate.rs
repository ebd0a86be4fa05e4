//! Whose request is this: `Authorization: Bearer sk_…` → account, before anything else is looked at.

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
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

/// The secret of the one `Authorization` header. Two of them are a contradiction, not a choice.
fn presented(request: &ServiceRequest) -> Option<Secret> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (Some(value), None) = (headers.next(), headers.next()) else {
        return None;
    };
    let value = value.to_str().ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with("sk_"))
        .then(|| Secret::presented(token))
}
