//! HEAD, which the routes do not know: whoever offers GET offers it.

use actix_web::http::header::{ALLOW, HeaderMap, HeaderValue};

/// Adds it to the methods that a path is said to offer.
pub fn offer(headers: &mut HeaderMap) {
    let Some(methods) = headers.get_mut(ALLOW) else {
        return;
    };
    let listed = methods.to_str().unwrap_or_default();
    let offers = |method| listed.split(',').any(|one| one.trim() == method);
    if offers("GET")
        && !offers("HEAD")
        && let Ok(all) = HeaderValue::from_str(&format!("{listed}, HEAD"))
    {
        *methods = all;
    }
}
