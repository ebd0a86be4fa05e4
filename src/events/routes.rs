//! `/api/v1/events`: the feed. Ours, in the style of the published operations.

use std::time::Duration;

use actix_web::web;
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{Event, EventKind};
use super::number::number_new;
use super::queries;
use super::view::EventView;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::page::Order;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::fields::fields;
use crate::http::openapi::{ListRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::query::{Limit, Query};
use crate::ids::{EventId, Id};
use crate::parse::{Complaint, Parse, digits};

/// How long a request waits for the next event at most.
const LONGEST_WAIT: u64 = 25;
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(200);

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
    /// Which events.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct EventQuery {
        /// The id of the last event already seen; without it, from the first on.
        #[param(value_type = Option<String>, example = "evt_gskwtd4u8000000003mv")]
        pub after: Option<EventId>,
        /// Only events of these types, with commas between them; `referral.*` means all that begin so.
        #[param(value_type = Option<String>, example = "referral.*,payout.paid")]
        pub types: Option<Kinds>,
        /// How many at most: 1 or more; beyond the maximum (1000 unless configured lower) it is the maximum.
        #[param(value_type = Option<i64>, minimum = 1, example = 50)]
        pub limit: Option<Limit>,
        /// `asc` (in the order in which they happened, the default) or `desc` (the latest first).
        pub order: Option<Order>,
        /// If there is none yet, wait for the next for so many seconds, 0 to 25.
        #[param(value_type = Option<i64>, minimum = 0, maximum = 25, example = 25)]
        pub wait: Option<Wait>,
    }
}

narrow!(EventQuery: never);

/// Some kinds of events.
pub struct Kinds(Vec<EventKind>);

impl Parse for Kinds {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let fits = |pattern: &str, kind: EventKind| match pattern.strip_suffix('*') {
            Some(start) => kind.as_str().starts_with(start),
            None => kind.as_str() == pattern,
        };
        let kinds = || EventKind::ALL.iter().copied();
        let patterns = || text.split(',').map(str::trim);
        if patterns().any(|pattern| !kinds().any(|kind| fits(pattern, kind))) {
            return Err(Complaint::new(
                "unknown_value",
                "must be event types with commas between them, such as referral.*,payout.paid",
            ));
        }
        // Each once, however often it was named: a statement takes so many values and no more.
        let named = |kind: &EventKind| patterns().any(|pattern| fits(pattern, *kind));
        Ok(Self(kinds().filter(named).collect()))
    }
}

/// How long to wait.
pub struct Wait(u64);

impl Parse for Wait {
    fn parse(text: &str) -> Result<Self, Complaint> {
        let seconds = digits(text).and_then(|seconds| u64::try_from(seconds).ok());
        let seconds = seconds.filter(|seconds| *seconds <= LONGEST_WAIT);
        let complaint =
            || Complaint::new("invalid_wait", "must be a whole number of seconds, 0 to 25");
        seconds.map(Self).ok_or_else(complaint)
    }
}

/// The next events.
#[derive(Serialize, ToSchema)]
pub struct EventList {
    /// The events, in the order in which they happened unless `order` says otherwise.
    pub events: Vec<EventView>,
    /// The page size in force.
    #[schema(example = 50)]
    pub limit: i64,
    /// Whether there are more behind these now.
    #[schema(example = false)]
    pub has_more: bool,
}

/// Follow the events
///
/// Ask again with `after` set to the last event's id. Nothing is passed by: events come in one order, without a gap,
/// however many of them happen at once, and stay where they are. With `wait` the answer comes when there is something.
#[utoipa::path(get, path = "/api/v1/events", tag = "Events", operation_id = "listEvents",
    params(EventQuery),
    responses((status = 200, description = "The next events", body = EventList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    query: Query<EventQuery>,
) -> Result<web::Json<EventList>, Error> {
    let Query(query) = query;
    let limit = query
        .limit
        .map_or(50, |limit| limit.0)
        .min(app.config.max_page_size);
    let from = match query.after {
        None => None,
        Some(after) => Some(place(&app, &account, after).await?),
    };
    let kinds = query.types.map_or_else(Vec::new, |kinds| kinds.0);
    let order = query.order.unwrap_or(Order::Asc);
    let wait = Duration::from_secs(query.wait.map_or(0, |wait| wait.0));
    let until = tokio::time::Instant::now() + wait;
    loop {
        number_new(&app.db, &account.id).await?;
        let (id, kinds) = (account.id, kinds.clone());
        let mut found = app
            .db
            .read_at_length(move |conn| {
                Ok(queries::list(conn, &id, &kinds, from, order, limit + 1)?)
            })
            .await?;
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = found.len() > page;
        found.truncate(page);
        if !found.is_empty() || tokio::time::Instant::now() >= until {
            let events = found.into_iter().map(EventView::from).collect();
            return Ok(web::Json(EventList {
                events,
                limit,
                has_more,
            }));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Get an event
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "Events", operation_id = "getEvent",
    params(("id" = EventId, Path, description = "The event's id")),
    responses((status = 200, description = "The event", body = EventView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<EventId>,
) -> Result<web::Json<EventView>, Error> {
    let event: Event = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(event.into()))
}

/// The place of an event in the order.
async fn place(app: &App, account: &Account, after: EventId) -> Result<i64, Error> {
    let id = account.id;
    let found = app
        .db
        .read(move |conn| Ok(queries::find(conn, &id, &after)?))
        .await?;
    let place = found.map(|event| event.sequence);
    place.ok_or_else(|| Error::no_such("after", EventId::NOUN))
}
