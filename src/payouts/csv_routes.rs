//! `/api/v1/payouts.csv`: payouts for a bank, read and sent part by part.

use actix_web::http::header::{
    CACHE_CONTROL, ContentDisposition, DispositionParam, DispositionType,
};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use utoipa::OpenApi;

use super::export::{Part, part};
use super::model::PayoutFilter;
use super::routes::PayoutQuery;
use crate::app::App;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::openapi::ListRefusals;
use crate::http::query::Query;
use crate::ids::{AccountId, PayoutId};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/payouts.csv").route(web::get().to(export)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(export))]
pub struct Docs;

/// Export payouts
///
/// All payouts that the filters select, oldest first: payout_id, student_id, first_name, last_name, email, amount (a
/// decimal number of the currency), currency, status, reference_id, created_at, paid_at. A cell that a spreadsheet
/// would take for a formula begins with an apostrophe. If the answer cannot be completed, the connection breaks off.
#[utoipa::path(get, path = "/api/v1/payouts.csv", tag = "Payouts", operation_id = "exportPayouts",
    params(PayoutQuery),
    responses((status = 200, description = "The payouts", body = String, content_type = "text/csv"), ListRefusals))]
async fn export(
    app: web::Data<App>,
    account: Caller,
    query: Query<PayoutQuery>,
) -> Result<HttpResponse, Error> {
    let filter = PayoutFilter::from(query.0);
    let walk = Walk {
        app: app.get_ref().clone(),
        account: account.id,
        filter,
    };
    // Read before anything is said, so that a database that is away is a 503 and not half an answer.
    let first = walk.read(None).await?;
    let disposition = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename("payouts.csv".to_owned())],
    };
    Ok(HttpResponse::Ok()
        .insert_header(disposition)
        .insert_header((CACHE_CONTROL, "no-store"))
        .content_type("text/csv; charset=utf-8")
        .streaming(walk.parts(first)))
}

/// What is exported.
#[derive(Clone)]
struct Walk {
    app: App,
    account: AccountId,
    filter: PayoutFilter,
}

/// What comes next.
enum Next {
    Send(Part),
    ReadBehind(PayoutId),
    Nothing,
}

impl Walk {
    async fn read(&self, after: Option<PayoutId>) -> Result<Part, Error> {
        let (account, filter) = (self.account, self.filter.clone());
        self.app
            .db
            .read_at_length(move |conn| part(conn, &account, &filter, after.as_ref()))
            .await
    }

    /// The parts, each read when the one before was taken: a slow reader holds one of them, and no connection. An
    /// error in the stream breaks the connection off.
    fn parts(self, first: Part) -> impl Stream<Item = Result<Bytes, Error>> {
        try_unfold((self, Next::Send(first)), async |(walk, next)| {
            let part = match next {
                Next::Nothing => return Ok(None),
                Next::Send(part) => part,
                Next::ReadBehind(last) => walk.read(Some(last)).await.inspect_err(|error| {
                    log::warn!("an export of payouts broke off: {}", error.cause());
                })?,
            };
            let next = part.last.map_or(Next::Nothing, Next::ReadBehind);
            Ok(Some((Bytes::from(part.csv), (walk, next))))
        })
    }
}
