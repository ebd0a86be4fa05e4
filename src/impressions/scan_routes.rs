//! `/q/{code}`: where phones arrive. A person holds the phone, so everything but the redirect is a page.

use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERER, RETRY_AFTER, USER_AGENT,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde_json::{Map, Value};
use utoipa::OpenApi;

use super::scan::{Scan, device_type, look, referrer, scan};
use super::scan_page;
use crate::app::App;
use crate::config::Keep;
use crate::http::peer;
use crate::metadata::Metadata;
use crate::posters::model::PosterCode;
use crate::text::{Line, Paragraph};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(
        web::resource(["/q", "/q/{code:.*}"])
            .route(web::get().to(arrive))
            .route(web::head().to(arrive)),
    );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(arrive))]
pub struct Docs;

/// Scan a poster
///
/// Where the QR code leads. Records the scan and sends the phone on to the landing page with
/// `impression_id` added to its query. `HEAD` answers without recording.
#[utoipa::path(get, path = "/q/{code}", tag = "Public", operation_id = "scan", security(()),
    params(("code" = PosterCode, Path, description = "The poster's code, in either case")),
    responses(
        (status = 302, description = "The scan is recorded; go on to the landing page",
            headers(("Location" = String, description = "The landing page, with `impression_id`"))),
        (status = 404, description = "No poster that hangs has this code", body = String, content_type = "text/html"),
        (status = 503, description = "Please scan again in a moment", body = String, content_type = "text/html"),
    ))]
async fn arrive(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let code = request.match_info().get("code").unwrap_or_default();
    let Some(code) = PosterCode::from_outside(code) else {
        return page(HttpResponse::NotFound(), scan_page::NOT_FOUND);
    };
    let destination = if request.method() == Method::HEAD {
        app.db.read(move |conn| look(conn, &code)).await
    } else {
        let seen = seen(&app, &request);
        app.db
            .write(move |conn, now| scan(conn, &code, &seen, now))
            .await
    };
    match destination {
        Ok(Some(url)) => HttpResponse::Found()
            .insert_header((LOCATION, url.as_str()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((HeaderName::from_static("referrer-policy"), "no-referrer"))
            .finish(),
        Ok(None) => page(HttpResponse::NotFound(), scan_page::NOT_FOUND),
        Err(error) => {
            log::error!("a scan failed: {error:?}");
            let mut response = HttpResponse::ServiceUnavailable();
            response.insert_header((RETRY_AFTER, 2));
            page(response, scan_page::TRY_AGAIN)
        }
    }
}

/// What is kept of the phone.
fn seen(app: &App, request: &HttpRequest) -> Scan {
    let header = |name: HeaderName| {
        request
            .headers()
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    let agent = header(USER_AGENT).unwrap_or_default();
    let metadata = Map::from_iter([
        ("device_type".to_owned(), Value::from(device_type(&agent))),
        (
            "referrer".to_owned(),
            Value::from(referrer(header(REFERER).as_deref())),
        ),
    ]);
    Scan {
        user_agent: (app.config.scan_user_agent == Keep::Full && !agent.is_empty())
            .then(|| Paragraph::cut(&agent)),
        ip_address: peer::address(request, &app.config.trusted_proxies)
            .and_then(|address| peer::kept(address, app.config.scan_address))
            .map(|text| Line::cut(&text)),
        metadata: Metadata::from(&metadata),
    }
}

fn page(mut response: HttpResponseBuilder, html: &'static str) -> HttpResponse {
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .body(html)
}
