//! Whose request is this: `Authorization: Bearer sk_…` → account, before anything else is looked at.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};

use super::model::Secret;
use super::queries;
use crate::app::App;
use crate::error::Error;
use crate::http::account::Account;

/// Wraps the routes that need a key: finds the account, counts the request against the key's limit.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let account = match identify(&request).await {
        Ok(account) => account,
        Err(error) => return Ok(request.error_response(error)),
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

async fn identify(request: &ServiceRequest) -> Result<Account, Error> {
    let secret = presented(request).ok_or(Error::Unauthorized)?;
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or_else(|| Error::internal("the application's state is missing"))?;
    let hash = secret.hash();
    let question = hash.clone();
    let look_up = app.db.read(move |conn| {
        let key = queries::find_live(conn, &hash)?;
        Ok(key.map(|key| Account {
            id: key.account_id,
            key: key.id,
        }))
    });
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
