//! `/api/v1/programs/{id}/rules:preview`: ours. What a rule would have paid, before it is published.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::history::load;
use super::model::Rule;
use super::preview::{Preview, preview};
use crate::app::App;
use crate::clock::{Day, Timestamp};
use crate::error::Error;
use crate::http::account::Account;
use crate::http::body::{Body, for_existing};
use crate::http::fields::{Fields, FromFields};
use crate::http::openapi::UpdateRefusals;
use crate::http::path::PathId;
use crate::ids::{Id, ProgramId};
use crate::parse::Complaint;
use crate::programs;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/programs/{id}/rules:preview").route(web::post().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

/// The most days that are looked at: a leap year's.
const MOST_DAYS: i64 = 366;

/// A rule to try, and on which days' conversions.
#[derive(ToSchema)]
#[schema(example = json!({
    "rule": { "commission": { "type": "flat", "amount": 500, "minimum_order": 2000 } },
    "from": "2024-01-01", "to": "2024-01-31"
}))]
pub struct PreviewRule {
    /// The rule. A key that is not known is refused, in the whole of it.
    pub rule: Rule,
    /// The first day, UTC; when left out, the first of the last day's month.
    pub from: Option<Day>,
    /// The last day, UTC, at most a year later. When left out, it is today if there is a first day, and otherwise the
    /// last day of the month before this.
    pub to: Option<Day>,
}

impl FromFields for PreviewRule {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let rule = fields.take_part("rule", |value| Rule::read(value.as_ref(), "rule"));
        let from = fields.take(&["from"]);
        let to = fields.take(&["to"]);
        Some(Self {
            rule: rule?,
            from: from?,
            to: to?,
        })
    }
}

/// What the rule would have paid. Bonuses are not in it: they depend on verifications, not on conversions.
#[derive(Serialize, ToSchema)]
#[schema(as = RulePreview, example = json!({
    "from": "2024-01-01", "to": "2024-01-31",
    "totals": [{ "currency": "USD", "conversions": 2, "volume": 9500, "would_pay": 500, "was_paid": 950, "refused": 0 }],
    "lines": [
        { "conversion_id": "conv_123abc", "order_id": "1001", "amount": 1500, "currency": "USD", "would_pay": 0, "was_paid": 150 },
        { "conversion_id": "conv_456def", "order_id": "1002", "amount": 8000, "currency": "USD", "would_pay": 500, "was_paid": 800 }
    ]
}))]
pub struct PreviewView {
    /// The first day, UTC.
    pub from: Day,
    /// The last day, UTC.
    pub to: Day,
    /// What was found.
    #[serde(flatten)]
    pub preview: Preview,
}

/// Try a rule
///
/// Applies the rule to the conversions of these days as if it had been the program's from the first of them on, with
/// what had come before, and writes nothing.
#[utoipa::path(post, path = "/api/v1/programs/{id}/rules:preview", tag = "Rules", operation_id = "previewRule",
    request_body = PreviewRule,
    params(("id" = ProgramId, Path, description = "The program's id")),
    responses((status = 200, description = "What it would have paid", body = PreviewView), UpdateRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<ProgramId>,
    body: Result<Body<PreviewRule>, Error>,
) -> Result<web::Json<PreviewView>, Error> {
    let now = app.clock.now();
    let checked = body.and_then(|Body(body)| Ok(Body((days(&body, now)?, body.rule))));
    let exists = id.find(&app, &account, programs::queries::find);
    let ((from, to), rule) = for_existing(checked, exists).await?;
    let found = app
        .db
        .read_at_length(move |conn| {
            let program = programs::queries::find(conn, &account.id, &id.0)?
                .ok_or(Error::NotFound(ProgramId::NOUN))?;
            let until = Day::numbered(to.number() + 1).start();
            let past = load(conn, &account.id, &id.0, &rule, (from.start(), until))?;
            preview(&rule, &program.payout_currency, &past)
        })
        .await?;
    Ok(web::Json(PreviewView {
        from,
        to,
        preview: found,
    }))
}

/// The first and the last day: what was asked for, or of the last month that is over.
fn days(body: &PreviewRule, now: Timestamp) -> Result<(Day, Day), Error> {
    let to = body.to.unwrap_or(match body.from {
        Some(_) => Day::of(now),
        None => Day::numbered(now.start_of_month().day() - 1),
    });
    let from = body.from.unwrap_or(Day::of(to.start().start_of_month()));
    let length = to.number() - from.number() + 1;
    let complaint = match length {
        ..1 => Complaint::new("invalid_period", "must not be before from"),
        1..=MOST_DAYS => return Ok((from, to)),
        _ => Complaint::new("invalid_period", "must be within 366 days of from"),
    };
    Err(Error::field("to", complaint))
}
