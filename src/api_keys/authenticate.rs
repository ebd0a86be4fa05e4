//! Whose request is this: `Authorization: Bearer sk_…` → account, before anything else is looked at; and may it be made.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};

use super::model::{ApiKey, KeyKind, Secret};
use super::queries;
use super::scope::{Granted, Scope};
use crate::app::{App, SURFACE};
use crate::bounds::Bounds;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::peer;
use crate::http::strangers::Strangers;
use crate::http::surface;
use crate::ids::AccountId;

/// What a key opens.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Whose rows.
    pub caller: Caller,
    /// What may be done with them.
    pub granted: Granted,
    /// Whether strangers have the key, so that its requests are counted for each of them.
    pub is_everybodys: bool,
    /// From when on it opens nothing.
    pub expires_at: Option<Timestamp>,
}

impl From<ApiKey> for Opened {
    fn from(key: ApiKey) -> Self {
        let granted = match key.kind {
            KeyKind::Secret => Granted::ALL,
            KeyKind::Restricted => Granted::by(&key.scopes),
            KeyKind::Publishable => Granted::public(),
        };
        let bounds = key.program_id.map(|program| {
            Arc::new(Bounds {
                program,
                ambassador: key.ambassador_id,
            })
        });
        let caller = Caller {
            id: key.account_id,
            key: key.id,
            bounds,
        };
        Self {
            caller,
            granted,
            is_everybodys: key.kind == KeyKind::Publishable,
            expires_at: key.expires_at,
        }
    }
}

/// Wraps the routes that need a key: finds the account, counts the request against the key's limit, and refuses what
/// the key may not do. What that is follows from method and path, so there is nothing for a handler to forget.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let key = match identify(&request).await {
        Ok(key) => key,
        Err(error) => return Ok(refused(request, error)),
    };
    let app = request.app_data::<web::Data<App>>().cloned();
    let visitor = app.as_ref().filter(|_| key.is_everybodys);
    let visitor = visitor.and_then(|app| address(&request, app));
    let standing = app.as_ref().and_then(|app| {
        let limit = app.rate_limit.as_ref()?;
        Some(limit.count(&key.caller.key, visitor, app.clock.now()))
    });
    let place = app.as_ref().and_then(|app| {
        let shares = app.admission.shares.as_ref()?;
        Some(
            shares
                .take(&key.caller.key, visitor)
                .ok_or(Error::TooManyRequests(1)),
        )
    });
    let mut response = match (standing, place) {
        (Some(Err(standing)), _) => request.error_response(Error::TooManyRequests(standing.wait)),
        (_, Some(Err(error))) => request.error_response(error),
        (_, place) => {
            let response = answered(request, next, key).await;
            if let Some(Ok(place)) = place {
                place.give_back();
            }
            response?
        }
    };
    if let Some(Ok(standing) | Err(standing)) = standing {
        standing.tell(response.headers_mut());
    }
    Ok(response)
}

/// The answer to a request that is let in.
async fn answered(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    key: Opened,
) -> Result<ServiceResponse, actix_web::Error> {
    match permitted(&request, &key) {
        Ok(()) => {
            request.extensions_mut().insert(key.caller);
            request.extensions_mut().insert(key.granted);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        // Where nothing lives there is nothing to be permitted.
        Err(_) if leads_nowhere(&request) => Ok(request.error_response(Error::NoSuchPath)),
        Err(error) => Ok(request.error_response(error)),
    }
}

/// Whether nothing lives at the path, as the router has read it.
fn leads_nowhere(request: &ServiceRequest) -> bool {
    let path = request.match_info().as_str();
    request.resource_map().match_pattern(path).is_none()
}

/// Whether the key may do what is asked.
fn permitted(request: &ServiceRequest, key: &Opened) -> Result<(), Error> {
    if key.granted == Granted::ALL {
        return Ok(());
    }
    // A dialect's nouns are called like ours.
    let path = request.match_info().as_str();
    let prefix = surface::of(path).map_or(SURFACE, |surface| surface.prefix);
    let path = path.strip_prefix(prefix).unwrap_or_default();
    allow(key.granted, Scope::of(request.method().as_str(), path))
}

/// Refuses a key that may not read what `name` names, for an answer that shows this beside what its path says.
///
/// # Errors
/// [`Error::Forbidden`]
pub fn must_read(request: &HttpRequest, name: &str) -> Result<(), Error> {
    let granted = request.extensions().get::<Granted>().copied();
    allow(granted.ok_or(Error::Unauthorized)?, Scope::of("GET", name))
}

fn allow(granted: Granted, scope: Option<Scope>) -> Result<(), Error> {
    match granted.allows(scope) {
        true => Ok(()),
        false => Err(Error::Forbidden(
            match scope.filter(|scope| scope.can_be_granted()) {
                Some(scope) => format!("This key may not do that: it needs the scope {scope}"),
                None => "This needs a secret key".to_owned(),
            },
        )),
    }
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
    Some((app.strangers.as_ref()?, address(request, app)?))
}

fn address(request: &ServiceRequest, app: &App) -> Option<IpAddr> {
    peer::address(request.request(), &app.config.trusted_proxies)
}

async fn identify(request: &ServiceRequest) -> Result<Opened, Error> {
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
        let now = app.clock.now();
        let find = move |conn: &mut DbConnection| Ok(queries::find_live(conn, &hash, now)?);
        let key = app.db.read(find).await?;
        Ok(key.map(Opened::from))
    };
    let known = app.keys.get(&app.db, &question, look_up).await?;
    known
        .filter(|key| key.expires_at.is_none_or(|end| end > app.clock.now()))
        .filter(|key| names(request, &key.caller.id))
        .ok_or(Error::Unauthorized)
}

/// Whether the surface's header for accounts, if it has one, names this one.
fn names(request: &ServiceRequest, account: &AccountId) -> bool {
    let surface = surface::of(request.match_info().as_str());
    let header = surface.and_then(|surface| surface.account_header);
    header.is_none_or(|name| the_one(request.headers().get_all(name)) == Ok(Some(&*account.text())))
}

/// The secret of the one `Authorization` header, or of the surface's own. Two that differ are a contradiction, not a
/// choice.
fn presented(request: &ServiceRequest) -> Option<Secret> {
    let surface = surface::of(request.match_info().as_str());
    let own = surface.map(|surface| surface.key_header);
    let own = own.map_or(Ok(None), |name| the_one(request.headers().get_all(name)));
    let bearer = the_one(request.headers().get_all(AUTHORIZATION));
    // Where one header names the account, another names the key.
    let both_are_needed = surface.is_some_and(|surface| surface.account_header.is_some());
    let token = match (bearer.ok()?.map(bearer_token), own.ok()?) {
        (None, None) => return None,
        (Some(_), None) if both_are_needed => return None,
        (Some(bearer), None) => bearer?,
        (None, Some(own)) => own,
        (Some(bearer), Some(own)) => bearer.filter(|bearer| *bearer == own)?,
    };
    Secret::could_be(token).then(|| Secret::presented(token))
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
