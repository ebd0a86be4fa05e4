//! `/openapi.json`, and `/docs`, a page to read and try it. Everything the page needs comes from this
//! binary, and its Content-Security-Policy forbids it to ask any other host.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType, LOCATION};
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, serve};

use crate::app;
use crate::error::Error;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    let document = app::openapi().to_json().unwrap_or_default();
    let document = web::Data::new(document);
    // The page would send the document to a validator on another host if it were not told otherwise.
    let config = Config::new(["/openapi.json"]).validator_url("none");
    let config = web::Data::from(Arc::new(config));
    routes
        .service(
            web::resource("/openapi.json")
                .app_data(document)
                .route(web::get().to(openapi)),
        )
        .service(web::resource("/docs").route(web::get().to(to_the_page)))
        .service(
            web::resource("/docs/{file:.*}")
                .app_data(config)
                .route(web::get().to(file)),
        );
}

async fn openapi(document: web::Data<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(document.as_ref().clone())
}

async fn to_the_page() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn file(
    path: web::Path<String>,
    config: web::Data<Config<'static>>,
) -> Result<HttpResponse, Error> {
    let found =
        serve(&path, config.into_inner()).map_err(|error| Error::internal(error.to_string()))?;
    let file = found.ok_or(Error::NoSuchPath)?;
    Ok(HttpResponse::Ok()
        .content_type(file.content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(file.bytes.into_owned()))
}
