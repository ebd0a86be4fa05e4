//! What the log says of requests: a line for each, and why one failed. Lines of one request share its id.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};

use crate::http::surface::Cause;

/// The route's pattern, not the path: a path can hold whatever somebody typed, an e-mail address too.
pub fn request(method: &Method, route: Option<&str>, status: StatusCode, took: Duration, id: &str) {
    let route = route.unwrap_or("-");
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    log::info!(
        target: "handbill::http",
        request_id = id, method = method.as_str(), route = route, status = status.as_u16(), micros = micros;
        "{method} {route} {} {micros}us {id}", status.as_u16()
    );
}

/// A defect, or a database that misbehaved.
pub fn failed(id: &str, cause: &str) {
    log::error!(target: "handbill::http::edge", request_id = id; "{id} failed: {cause}");
}

/// There is too much to do, or the database is away.
pub fn turned_away(id: &str, cause: &str) {
    log::warn!(target: "handbill::http::edge", request_id = id; "{id} turned away: {cause}");
}

/// Why a page for a person is there instead of what was asked for, if it says so.
pub fn page_that_failed(response: &HttpResponse<impl Sized>, id: &str) {
    if response.status().is_server_error()
        && let Some(Cause(cause)) = response.extensions().get()
    {
        turned_away(id, cause);
    }
}
