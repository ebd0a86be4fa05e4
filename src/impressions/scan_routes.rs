//! `/q/{code}`: where phones arrive. A person holds the phone, so everything but the redirect is a page.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERER, RETRY_AFTER, USER_AGENT,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use utoipa::OpenApi;

use super::hanging::{Hanging, hanging};
use super::scan::{Circumstances, Scan, device_type, referrer};
use super::scan_page;
use crate::app::App;
use crate::config::Keep;
use crate::error::Error;
use crate::http::peer;
use crate::http::surface::Cause;
use crate::ids::{ImpressionId, Tail};
use crate::metadata::Metadata;
use crate::posters::model::PosterCode;
use crate::text::{Line, Paragraph};

/// How long a phone waits for the database to find its poster, and then for its scan's turn.
const PATIENCE: Duration = Duration::from_secs(1);

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    // The first pattern is the one that logs and metrics name; the others are no poster's.
    for patterns in [&["/q/{code}"][..], &["/q", "/q/{code:.*}"]] {
        let resource = web::resource(patterns.to_vec());
        routes.service(
            resource
                .route(web::get().to(arrive))
                .route(web::head().to(arrive)),
        );
    }
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
    let poster = match find(&app, &code).await {
        Ok(Some(poster)) => poster,
        Ok(None) => return page(HttpResponse::NotFound(), scan_page::NOT_FOUND),
        Err(error) => return try_again(&error),
    };
    if request.method() == Method::HEAD {
        return redirect(poster.landing());
    }
    match keep(&app, seen(&app, &request, Arc::clone(&poster))).await {
        Ok(id) => redirect(&poster.destination(&id)),
        Err(error) => try_again(&error),
    }
}

/// The poster that hangs under this code: as of a moment ago or, if the database is away, as of the last time.
async fn find(app: &App, code: &PosterCode) -> Result<Option<Arc<Hanging>>, Error> {
    if app.journal.is_in_use()
        && let Some(poster) = app.hanging.last(code)
    {
        return Ok(Some(poster));
    }
    let sought = code.clone();
    let look_up = app
        .db
        .read(move |conn| Ok(hanging(conn, &sought)?.map(Arc::new)));
    let found = tokio::time::timeout(PATIENCE, app.hanging.get(&app.db, code, look_up)).await;
    let late = |_| Error::Unavailable("waited too long for the poster".to_owned());
    let found = found.map_err(late).flatten();
    found.or_else(|error| app.hanging.last(code).map(Some).ok_or(error))
}

/// Keeps a scan where nothing gets lost: in the database or, while that takes none, in the journal.
async fn keep(app: &App, scan: Scan) -> Result<ImpressionId, Error> {
    let scan = Arc::new(scan);
    let mut at = None;
    if !app.journal.is_in_use() {
        let spare = Arc::clone(&scan);
        let written = app.db.write_together(&app.scans, spare, PATIENCE).await;
        let not_written = match written {
            Ok(id) => return Ok(id),
            Err(not_written) => not_written,
        };
        // A full queue is a crowd, not a database that is gone.
        if !not_written.is_for_lack_of_room {
            let cause = not_written.error.cause();
            log::warn!("a scan goes to the journal: {cause}");
            app.journal.use_it(true);
        }
        at = not_written.at;
    }
    // A scan that may have been stored after all gets the id that it would have there.
    let impression = scan.at(at.unwrap_or_else(|| app.clock.now()));
    app.journal.append(&impression).await?;
    Ok(impression.id)
}

fn redirect(destination: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, destination))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((HeaderName::from_static("referrer-policy"), "no-referrer"))
        .finish()
}

fn try_again(error: &Error) -> HttpResponse {
    let mut response = HttpResponse::ServiceUnavailable();
    response.insert_header((RETRY_AFTER, 2));
    let mut page = page(response, scan_page::TRY_AGAIN);
    page.extensions_mut().insert(Cause(error.cause()));
    page
}

/// What is kept of the phone.
fn seen(app: &App, request: &HttpRequest, poster: Arc<Hanging>) -> Scan {
    let header = |name: HeaderName| {
        request
            .headers()
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    let agent = header(USER_AGENT).unwrap_or_default();
    let metadata = Metadata::of(&Circumstances {
        device_type: device_type(&agent),
        referrer: &referrer(header(REFERER).as_deref()),
    });
    Scan {
        poster,
        tail: Tail::random(),
        user_agent: (app.config.scan_user_agent == Keep::Full && !agent.is_empty())
            .then(|| Paragraph::cut(&agent)),
        ip_address: peer::address(request, &app.config.trusted_proxies)
            .and_then(|address| peer::kept(address, app.config.scan_address))
            .map(|text| Line::cut(&text)),
        metadata,
        is_event: app.config.impression_events,
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
