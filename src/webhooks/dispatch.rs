//! Finds endpoints with events before them, and has each delivered to by a task of its own, so that a slow one delays
//! no other. Several processes on one database share the work: whoever has the lease delivers.

use std::time::Duration;

use tokio::task::JoinSet;

use super::deliver::{LEASE, deliver};
use super::model::Endpoint;
use super::queries;
use crate::app::App;
use crate::error::Error;
use crate::events::number::number;

/// How often it looks for something to do.
const ROUND: Duration = Duration::from_millis(200);
/// How many endpoints are delivered to at the same time.
const MOST: usize = 64;

/// Works until it is dropped.
pub async fn run(app: App) {
    let mut tasks = JoinSet::new();
    loop {
        if let Err(error) = begin(&app, &mut tasks).await {
            log::warn!("webhooks wait, later again: {error:?}");
        }
        tokio::time::sleep(ROUND).await;
    }
}

/// Delivers everything that is due now, and waits until that is done.
///
/// # Errors
/// The database's, before a delivery; what goes wrong at one endpoint is in the log.
pub async fn deliver_due(app: &App) -> Result<(), Error> {
    let mut tasks = JoinSet::new();
    while begin(app, &mut tasks).await? > 0 {
        while tasks.join_next().await.is_some() {}
    }
    Ok(())
}

/// Begins as many deliveries as there is room for. How many that were.
async fn begin(app: &App, tasks: &mut JoinSet<()>) -> Result<usize, Error> {
    while tasks.try_join_next().is_some() {}
    let unnumbered = app
        .db
        .read(|conn| Ok(queries::accounts_to_number(conn)?))
        .await?;
    for account in unnumbered {
        app.db.write(move |conn, _| number(conn, &account)).await?;
    }
    let leased = lease(app, MOST - tasks.len().min(MOST)).await?;
    let begun = leased.len();
    for endpoint in leased {
        let app = app.clone();
        tasks.spawn(async move {
            let id = endpoint.id.clone();
            if let Err(error) = deliver(&app, endpoint).await {
                log::warn!("{} waits, later again: {error:?}", id.as_str());
            }
        });
    }
    Ok(begun)
}

/// Takes leases on up to `room` endpoints that are due.
async fn lease(app: &App, room: usize) -> Result<Vec<Endpoint>, Error> {
    let (room, now) = (i64::try_from(room).unwrap_or(0), app.clock.now());
    // Most rounds find nothing, and then nobody has to wait for a write.
    let due = app
        .db
        .read_at_length(move |conn| Ok(queries::list_due(conn, now, room)?))
        .await?;
    if due.is_empty() {
        return Ok(due);
    }
    let work = move |conn: &mut _, now: crate::clock::Timestamp| {
        let until = now.plus_seconds(LEASE);
        let mut leased = Vec::new();
        for endpoint in &due {
            if queries::lease(conn, endpoint, now, until)? {
                // As it is now: a replay may have come in between.
                leased.extend(queries::find(conn, &endpoint.account_id, &endpoint.id)?);
            }
        }
        Ok(leased)
    };
    app.db.write(work).await
}
