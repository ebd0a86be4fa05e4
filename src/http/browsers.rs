//! Which web pages may read what is public: CORS by a list of origins. Everything else on this server says nothing to
//! other origins, so browsers keep it from them.

use actix_cors::Cors;
use actix_web::http::header::{AUTHORIZATION, HeaderName};

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
