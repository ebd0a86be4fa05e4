//! Sends an endpoint its events, one after the other, for whoever has the lease.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::book::{Round, Tried, book};
use super::lanes::Place;
use super::message::Message;
use super::model::Endpoint;
use super::queries;
use super::send::Attempt;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::events::model::Event;
use crate::events::queries::list_numbered;

/// How many events are read at once. What became of them is written down together.
const BATCH: i64 = 50;
/// A lease lasts so many seconds: so long an endpoint waits when a process dies.
pub(super) const LEASE: i64 = 10;
/// An attempt can take longer than a lease. While it does, the lease is renewed so often.
const RENEWAL: Duration = Duration::from_secs(3);
/// With less than so many seconds of it left nothing is tried before what came of the others is written down.
const RESERVE: i64 = 5;
/// How long it rests before it asks a database again that had too much to do.
const AGAIN: Duration = Duration::from_millis(200);

/// Delivers until there is nothing left, an attempt failed, the lease is lost, or others want their turn. Whether
/// nothing is left for now.
///
/// # Errors
/// The database's. What was delivered and could not be written down is delivered again.
pub(super) async fn deliver(app: &App, leased: Endpoint, mut place: Place) -> Result<bool, Error> {
    let mut endpoint = leased;
    loop {
        let (account, reached) = (endpoint.account_id, endpoint.reached);
        let events = app
            .db
            .read(move |conn| Ok(list_numbered(conn, &account, reached, BATCH)?))
            .await?;
        let round = go_through(app, &mut endpoint, &mut place, events.into()).await?;
        let (is_last, goes_on) = (round.is_last, place.goes_on());
        match write_down(app, &endpoint, round, goes_on).await? {
            Some(next) => endpoint = next,
            None => return Ok(is_last),
        }
    }
}

/// Tries the events in their order, up to the first that fails, or until the turn is over.
async fn go_through(
    app: &App,
    endpoint: &mut Endpoint,
    place: &mut Place,
    mut events: VecDeque<Event>,
) -> Result<Round, Error> {
    let mut round = Round {
        reached: endpoint.reached,
        tried: Vec::new(),
        is_last: i64::try_from(events.len()).is_ok_and(|found| found < BATCH),
    };
    while let Some(event) = events.pop_front() {
        let sequence = event.sequence;
        if let Some(last) = endpoint.replay_to.filter(|last| sequence > *last) {
            round.reached = last;
            break;
        }
        if !endpoint.wants(event.kind.as_str()) {
            round.reached = sequence;
            continue;
        }
        if (place.is_over() || lease_ends(app, endpoint)) && !round.tried.is_empty() {
            round.is_last = false;
            break;
        }
        let attempt = attempt(app, endpoint, &event);
        // Hundreds may wait for their receivers: none of them holds more than the event that is on its way.
        let is_last = &mut round.is_last;
        let over = || {
            *is_last &= events.is_empty();
            events.clear();
        };
        let attempt = place.during(attempt, over).await?;
        let delivered = attempt.delivered();
        round.tried.push(Tried { event, attempt });
        if !delivered {
            break;
        }
        round.reached = sequence;
    }
    Ok(round)
}

/// Whether the lease may end before another attempt is written down.
fn lease_ends(app: &App, endpoint: &Endpoint) -> bool {
    let ends = |until: Timestamp| until.plus_seconds(-RESERVE) <= app.clock.now();
    endpoint.leased_until.is_some_and(ends)
}

/// Writes down what came of a round; while the database has too much to do, again, as long as the lease lasts: what is
/// not written down is delivered again.
async fn write_down(
    app: &App,
    endpoint: &Endpoint,
    round: Round,
    goes_on: bool,
) -> Result<Option<Endpoint>, Error> {
    let round = Arc::new(round);
    loop {
        let (endpoint, round) = (endpoint.clone(), round.clone());
        let until = endpoint.leased_until;
        let work = move |conn: &mut _, now| book(conn, &endpoint, &round, goes_on, now);
        match app.db.write(work).await {
            Err(Error::Unavailable(_)) if until.is_some_and(|until| app.clock.now() < until) => {
                sleep(AGAIN).await;
            }
            done => return done,
        }
    }
}

/// Sends one event, and keeps the lease meanwhile.
async fn attempt(app: &App, endpoint: &mut Endpoint, event: &Event) -> Result<Attempt, Error> {
    let now = app.clock.now();
    let (url, secrets, message) = (
        endpoint.url.clone(),
        endpoint.secrets(&app.config.webhooks.keys, now)?,
        Message::of(endpoint.dialect, event),
    );
    let mut sending = std::pin::pin!(app.webhooks.send(&url, &secrets, &message, now));
    loop {
        if let Ok(attempt) = timeout(RENEWAL, &mut sending).await {
            return attempt;
        }
        let held = endpoint.clone();
        let work = move |conn: &mut _, now: Timestamp| {
            let until = now.plus_seconds(LEASE);
            Ok(queries::renew(conn, &held, until)?.then_some(until))
        };
        // If the lease is lost, what comes of this is not written down; it may still arrive.
        match app.db.write(work).await? {
            Some(until) => endpoint.leased_until = Some(until),
            None => return sending.await,
        }
    }
}
