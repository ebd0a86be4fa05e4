//! `/qr/{code}.svg` and `.png`: a poster's QR code as an image that an `<img>` can show, without a key.

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use utoipa::OpenApi;

use super::model::PosterCode;
use super::{qr, queries};
use crate::app::App;
use crate::error::Error;
use crate::http::edge::ErrorBody;
use crate::ids::{Id, PosterId};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/qr/{code}.svg").route(web::get().to(svg)))
        .service(web::resource("/qr/{code}.png").route(web::get().to(png)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(svg, png))]
pub struct Docs;

/// A poster's QR code as a vector image
#[utoipa::path(get, path = "/qr/{code}.svg", tag = "Public", operation_id = "qrSvg", security(()),
    params(("code" = PosterCode, Path, description = "The poster's code")),
    responses(
        (status = 200, description = "The image", body = String, content_type = "image/svg+xml"),
        (status = 404, description = "No poster has this code", body = ErrorBody),
        (status = 503, description = "Overloaded, or the database is away; see `Retry-After`", body = ErrorBody),
    ))]
async fn svg(app: web::Data<App>, code: web::Path<String>) -> Result<HttpResponse, Error> {
    let url = printed_url(&app, &code).await?;
    Ok(image("image/svg+xml").body(qr::svg(&url)?))
}

/// A poster's QR code as a PNG
#[utoipa::path(get, path = "/qr/{code}.png", tag = "Public", operation_id = "qrPng", security(()),
    params(("code" = PosterCode, Path, description = "The poster's code")),
    responses(
        (status = 200, description = "The image", body = Vec<u8>, content_type = "image/png"),
        (status = 404, description = "No poster has this code", body = ErrorBody),
        (status = 503, description = "Overloaded, or the database is away; see `Retry-After`", body = ErrorBody),
    ))]
async fn png(app: web::Data<App>, code: web::Path<String>) -> Result<HttpResponse, Error> {
    let url = printed_url(&app, &code).await?;
    Ok(image("image/png").body(qr::png(&url)?))
}

/// What the code's QR image says. A retired poster's image still draws: only its scan leads nowhere.
async fn printed_url(app: &App, code: &str) -> Result<String, Error> {
    let code = PosterCode::from_outside(code).ok_or(Error::NotFound(PosterId::NOUN))?;
    let found = app
        .db
        .read(move |conn| Ok(queries::find_by_code(conn, &code)?))
        .await?;
    let (poster, _) = found.ok_or(Error::NotFound(PosterId::NOUN))?;
    Ok(poster.code.scan_url(&app.public_url))
}

fn image(kind: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(kind)
        .insert_header((CACHE_CONTROL, "public, max-age=86400"))
        // A dashboard on another host may show it under any embedder policy.
        .insert_header((
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ));
    response
}
