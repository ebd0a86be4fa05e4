//! The outermost layer of every request: gives it an id, survives its panics, puts every failure into the
//! one shape of its surface, logs one line.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_cors::CorsError;
use actix_http::ConnectionType;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, ResponseError, web};
use compact_str::CompactString;
use futures_util::FutureExt;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, FieldError, words};
use crate::http::browsers;
use crate::http::connections::Connections;
use crate::http::head;
use crate::http::remembered::route;
use crate::http::request_log;
use crate::http::seat::Seat;
use crate::http::surface::{self, RequestId, Surface, Told};
use crate::ids;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The body of every failure on `/api/v1`. `error` and `message` are the published pair; the rest is ours.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "error": "Bad Request",
    "message": "Missing required field: impression_id",
    "code": "invalid_request",
    "request_id": "req_0h5m8k2q9sx7v3n1b6tz",
    "errors": [{"field": "impression_id", "code": "missing", "message": "Missing required field: impression_id"}]
}))]
pub struct ErrorBody {
    /// The status in words.
    pub error: &'static str,
    /// A sentence for a person.
    pub message: String,
    /// Stable and snake_case, for programs.
    pub code: &'static str,
    /// Finds this request in the server's log; also in the `X-Request-Id` header.
    pub request_id: String,
    /// For bad input: every field that was refused, in the documents' order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub errors: Option<Vec<FieldError>>,
}

/// Wraps the whole application.
pub async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let _work = request.conn_data::<Rc<Seat>>().map(Seat::work);
    let ticket = Ticket::of(&request);
    let method = request.method().clone();
    if ticket.surface.is_some() {
        request
            .extensions_mut()
            .insert(RequestId(ticket.id.clone()));
    }
    // HEAD is GET without the body, which the encoder leaves out. A scan must tell them apart itself.
    let has_head = ticket.surface.is_none_or(|surface| surface.has_head);
    let is_scan = request.match_info().as_str().starts_with("/q/");
    if method == Method::HEAD && has_head && !is_scan {
        request.head_mut().method = Method::GET;
    }
    let app = request.app_data::<web::Data<App>>().cloned();
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let took = started.elapsed();
    let count = |route: Option<&str>, status| {
        if let Some(app) = &app {
            app.metrics.count(&method, route, status, took);
        }
    };
    let mut response = match outcome {
        Ok(Ok(response)) => shaped(response, &ticket),
        Ok(Err(error)) => {
            let error = foreign(&error);
            count(None, error.status());
            return Err(finished(error, ticket, &method, took));
        }
        Err(_) => {
            count(None, StatusCode::INTERNAL_SERVER_ERROR);
            if let Some(app) = &app {
                app.metrics.panicked();
            }
            let error = Error::internal("a handler panicked");
            return Err(finished(error, ticket, &method, took));
        }
    };
    let connections = app.as_ref().map(|app| &app.admission.connections);
    if connections.is_some_and(Connections::are_nearly_all_taken) {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    dress(response.headers_mut(), &ticket);
    let (route, status) = (route(response.request()), response.status());
    let route = route.as_deref();
    count(route, status);
    request_log::page_that_failed(response.response(), &ticket.id);
    request_log::request(&method, route, status, took, &ticket.id);
    Ok(response)
}

/// What has to be known of a request when it is answered.
#[derive(Debug)]
struct Ticket {
    id: CompactString,
    surface: Option<&'static Surface>,
    is_api: bool,
    is_image: bool,
    public_url: String,
    at: Timestamp,
}

impl Ticket {
    fn of(request: &ServiceRequest) -> Self {
        let app = request.app_data::<web::Data<App>>();
        let path = request.match_info().as_str();
        let surface = surface::of(path);
        // Only surfaces ask for what takes time.
        let asked = app.filter(|_| surface.is_some());
        Self {
            is_api: path.starts_with("/api/") || surface.is_some(),
            is_image: path.starts_with("/qr/"),
            id: request_id(request),
            public_url: asked.map_or(String::new(), |app| app.public_url.clone()),
            at: asked.map_or(Timestamp::from_micros(0), |app| app.clock.now()),
            surface,
        }
    }
}

/// What every answer says in headers.
fn dress(headers: &mut HeaderMap, ticket: &Ticket) {
    browsers::protect(headers, ticket.is_api, ticket.is_image);
    if let Ok(value) = HeaderValue::from_str(&ticket.id) {
        headers.insert(X_REQUEST_ID, value);
    }
}

/// The id the caller gave the request, if it is a tame one, else a new one.
fn request_id(request: &ServiceRequest) -> CompactString {
    let tame = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(tame)
        .map_or_else(|| ids::random("req"), CompactString::from)
}

/// Leaves successes and pages as they are; everything that failed gets the one shape.
fn shaped<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    ticket: &Ticket,
) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let has_body_of_its_own =
        response.response().error().is_none() && response.headers().contains_key(CONTENT_TYPE);
    if !failed || has_body_of_its_own {
        return response.map_into_boxed_body();
    }
    let (request, old) = response.into_parts();
    let mut new = match old.error() {
        Some(error) => match error.as_error::<Error>() {
            Some(ours) => render(ours, ticket),
            None => render(&foreign(error), ticket),
        },
        None => render(&by_status(status), ticket),
    };
    // What the failure said in headers (Allow, rate limits) stays said.
    for (name, value) in old.headers() {
        if !new.headers().contains_key(name) {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    if ticket.surface.is_none_or(|surface| surface.has_head) {
        head::offer(new.headers_mut());
    }
    ServiceResponse::new(request, new)
}

/// A failure that actix or a library raised.
fn foreign(error: &actix_web::Error) -> Error {
    if error.as_error::<CorsError>().is_some() {
        return Error::OriginNotAllowed;
    }
    match error.as_response_error().status_code() {
        StatusCode::INTERNAL_SERVER_ERROR => Error::internal(error.to_string()),
        status => by_status(status),
    }
}

fn by_status(status: StatusCode) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::NoSuchPath,
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Error::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge(crate::http::body::MAX_BYTES),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::UnsupportedMediaType,
        StatusCode::UNAUTHORIZED => Error::Unauthorized,
        _ if status.is_client_error() => {
            Error::Malformed("The request could not be read".to_owned())
        }
        _ => Error::internal(format!("an answer of {status} without an error")),
    }
}

/// The one shape of the surface.
fn render(error: &Error, ticket: &Ticket) -> HttpResponse {
    let id = &*ticket.id;
    match error {
        Error::Internal(_) => request_log::failed(id, &error.cause()),
        Error::Unavailable(_) => request_log::turned_away(id, &error.cause()),
        _ => {}
    }
    let told = Told {
        request_id: id,
        public_url: &ticket.public_url,
        at: ticket.at,
    };
    let mut response = ticket
        .surface
        .map_or_else(|| ours(error, id), |surface| (surface.body)(error, told));
    let headers = response.headers_mut();
    if matches!(error, Error::Unauthorized) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// The shape on `/api/v1`, and wherever no surface has its own.
fn ours(error: &Error, id: &str) -> HttpResponse {
    HttpResponse::build(error.status()).json(ErrorBody {
        error: words(error.status()),
        message: error.to_string(),
        code: error.code(),
        request_id: id.to_owned(),
        errors: (!error.fields().is_empty()).then(|| error.fields().to_vec()),
    })
}

/// A failure after which the request is gone: it carries its finished answer out past actix.
#[derive(Debug)]
struct Finished {
    error: Error,
    ticket: Ticket,
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Finished {
    fn status_code(&self) -> StatusCode {
        self.error.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = render(&self.error, &self.ticket);
        dress(response.headers_mut(), &self.ticket);
        response
    }
}

fn finished(error: Error, ticket: Ticket, method: &Method, took: Duration) -> actix_web::Error {
    request_log::request(method, None, error.status(), took, &ticket.id);
    Finished { error, ticket }.into()
}
