//! `/v1/events`: what became of referrals.

use actix_web::web;
use utoipa::{IntoParams, OpenApi};

use super::errors::VinrRefusals;
use super::page::{PageSize, Part, VinrList};
use super::views::{EVENT_TYPES, VinrEvent};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::model::{Event, EventKind};
use crate::events::number::number_new;
use crate::events::queries::{self, OfIntroductions};
use crate::http::account::Account;
use crate::http::fields::fields;
use crate::http::form::Asked;
use crate::http::path::PathId;
use crate::ids::{EventId, Id};
use crate::parse::{Complaint, Parse, digits};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/events").route(web::get().to(list)))
        .service(web::resource("/events/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, show))]
pub struct Docs;

fields! {
    /// Which events, newest first.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListEvents {
        /// Only these: `referral.created`, `referral.qualified`, `referral.rewarded`.
        pub r#type = "type": Option<String>,
        /// Only at this moment, in Unix seconds, or later; also as `created[gte]`.
        #[param(rename = "created.gte", value_type = Option<i64>)]
        pub from = "created.gte": Option<Seconds>,
        /// Only later than that.
        #[param(rename = "created.gt", value_type = Option<i64>)]
        pub behind = "created.gt": Option<Seconds>,
        /// Only at this moment or earlier.
        #[param(rename = "created.lte", value_type = Option<i64>)]
        pub to = "created.lte": Option<Seconds>,
        /// Only earlier than that.
        #[param(rename = "created.lt", value_type = Option<i64>)]
        pub before = "created.lt": Option<Seconds>,
        /// How many, 1 to 100; 10 when left out.
        #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
        pub limit: Option<PageSize>,
        /// The id of the last one seen: those before it.
        pub starting_after: Option<String>,
        /// The id of the first one seen: those after it.
        pub ending_before: Option<String>,
    }
}

/// A moment in Unix seconds.
pub struct Seconds(i64);

impl Parse for Seconds {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let number = digits(text).filter(|number| *number <= 253_402_300_799);
        let complaint = || Complaint::new("invalid_time", "must be a Unix time in seconds");
        number.map(Self).ok_or_else(complaint)
    }
}

impl ListEvents {
    /// From when on, and until before when.
    fn period(&self) -> (Timestamp, Timestamp) {
        let start = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let from = self.from.as_ref().map_or(0, |from| from.0);
        let behind = self.behind.as_ref().map_or(0, |behind| behind.0 + 1);
        let to = self.to.as_ref().map_or(i64::MAX, |to| to.0 + 1);
        let before = self.before.as_ref().map_or(i64::MAX, |before| before.0);
        let until = match to.min(before) {
            i64::MAX => Timestamp::from_micros(i64::MAX),
            seconds => start(seconds),
        };
        (start(from.max(behind)), until)
    }
}

/// List events
#[utoipa::path(get, path = "/v1/events", tag = "VINR", operation_id = "vinrListEvents",
    params(ListEvents),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The events, newest first", body = VinrList<VinrEvent>), VinrRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    query: Asked<ListEvents>,
) -> Result<web::Json<VinrList<VinrEvent>>, Error> {
    let Asked(query) = query;
    let (from, until) = query.period();
    let kinds = match &query.r#type {
        None => EVENT_TYPES.iter().map(|(_, kind)| *kind).collect(),
        Some(wanted) => kinds(wanted),
    };
    let part = Part::new(query.limit, query.starting_after, query.ending_before)?;
    number_new(&app.db, &account.id).await?;
    let load = move |conn: &mut DbConnection| {
        let cursor = match &part.page.after {
            None => None,
            Some(cursor) => {
                let id = EventId::from_outside(cursor).ok_or_else(|| part.no_such_cursor())?;
                let event = queries::find(conn, &account.id, &id)?;
                // Of ours, only those that are VINR's too are in the list.
                let event = match event {
                    Some(event) if VinrEvent::of(&event)?.is_some() => Some(event),
                    _ => None,
                };
                let sequence = event.map(|event| event.sequence);
                Some(sequence.ok_or_else(|| part.no_such_cursor())?)
            }
        };
        let wanted = OfIntroductions {
            kinds,
            period: (from, until),
            cursor,
        };
        let rows = queries::list_of_introductions(conn, &account.id, &wanted, &part.page)?;
        let (rows, has_more) = part.list(rows);
        let views = rows.iter().map(VinrEvent::of);
        let views = views.collect::<Result<Vec<_>, _>>()?;
        Ok(VinrList::of(
            views.into_iter().flatten().collect(),
            has_more,
        ))
    };
    Ok(web::Json(app.db.read_at_length(load).await?))
}

/// Ours for VINR's word; none, if it is a word for something that never happens here.
fn kinds(wanted: &str) -> Vec<EventKind> {
    let ours = EVENT_TYPES.iter().filter(|(word, _)| *word == wanted);
    ours.map(|(_, kind)| *kind).collect()
}

/// Retrieve an event
#[utoipa::path(get, path = "/v1/events/{id}", tag = "VINR", operation_id = "vinrGetEvent",
    params(("id" = EventId, Path, description = "The event's id")),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The event", body = VinrEvent), VinrRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<EventId>,
) -> Result<web::Json<VinrEvent>, Error> {
    let event: Event = id.find(&app, &account, queries::find).await?;
    let event = VinrEvent::of(&event)?;
    Ok(web::Json(event.ok_or(Error::NotFound(EventId::NOUN))?))
}
