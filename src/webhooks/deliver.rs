//! Sends an endpoint its events, one after the other, for whoever has the lease.

use std::time::Duration;

use tokio::time::timeout;

use super::book::{Round, Tried, book};
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

/// Delivers until there is nothing left, an attempt failed, or the lease is lost.
///
/// # Errors
/// The database's. What was delivered and could not be written down is delivered again.
pub(super) async fn deliver(app: &App, leased: Endpoint) -> Result<(), Error> {
    let mut endpoint = leased;
    loop {
        let (account, reached) = (endpoint.account_id.clone(), endpoint.reached);
        let events = app
            .db
            .read(move |conn| Ok(list_numbered(conn, &account, reached, BATCH)?))
            .await?;
        let round = go_through(app, &mut endpoint, events).await?;
        let work = move |conn: &mut _, now| book(conn, &endpoint, &round, now);
        match app.db.write(work).await? {
            Some(next) => endpoint = next,
            None => return Ok(()),
        }
    }
}

/// Tries the events in their order, up to the first that fails.
async fn go_through(
    app: &App,
    endpoint: &mut Endpoint,
    events: Vec<Event>,
) -> Result<Round, Error> {
    let mut round = Round {
        reached: endpoint.reached,
        tried: Vec::new(),
        is_last: i64::try_from(events.len()).is_ok_and(|found| found < BATCH),
    };
    for event in events {
        let sequence = event.sequence.unwrap_or(round.reached);
        if let Some(last) = endpoint.replay_to.filter(|last| sequence > *last) {
            round.reached = last;
            break;
        }
        if !endpoint.wants(event.kind.as_str()) {
            round.reached = sequence;
            continue;
        }
        let ends = endpoint
            .leased_until
            .map(|until| until.plus_seconds(-RESERVE));
        if ends.is_some_and(|ends| ends <= app.clock.now()) && !round.tried.is_empty() {
            round.is_last = false;
            break;
        }
        let attempt = attempt(app, endpoint, &event).await?;
        let delivered = attempt.delivered();
        round.tried.push(Tried { event, attempt });
        if !delivered {
            break;
        }
        round.reached = sequence;
    }
    Ok(round)
}

/// Sends one event, and keeps the lease meanwhile.
async fn attempt(app: &App, endpoint: &mut Endpoint, event: &Event) -> Result<Attempt, Error> {
    let now = app.clock.now();
    let (url, secrets, message) = (
        endpoint.url.clone(),
        endpoint.secrets(now),
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
