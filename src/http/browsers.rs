//! Which web pages may read what is public: CORS by a list of origins. Everything else on this server says nothing to
//! other origins, so browsers keep it from them. And what they
//! are told with every answer.

use actix_cors::Cors;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_RESOURCE_POLICY, HeaderMap,
    HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

use crate::config::Origins;

/// How long a browser need not ask again, in seconds.
const REMEMBERED: usize = 3600;

/// The answers to browsers that ask for a page of one of these origins.
pub fn allowed(origins: &Origins) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET"])
        .allowed_header(AUTHORIZATION)
        .expose_headers(["retry-after", "x-request-id"].map(HeaderName::from_static))
        .max_age(REMEMBERED);
    match origins {
        Origins::Any => cors.allow_any_origin().send_wildcard(),
        Origins::These(origins) => origins
            .iter()
            .fold(cors, |cors, origin| cors.allowed_origin(origin)),
    }
}

/// What browsers are to know about every answer: what it says it is, nothing runs in it, nobody puts it into a frame. Posters'
/// images may be shown by other pages, and nothing else may; what the API answers is not kept.
pub fn protect(headers: &mut HeaderMap, is_api: bool, is_image: bool) {
    let whose = if is_image {
        "cross-origin"
    } else {
        "same-origin"
    };
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CROSS_ORIGIN_RESOURCE_POLICY, whose),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        let nothing = "default-src 'none'; frame-ancestors 'none'";
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(nothing));
    }
    if is_api && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
