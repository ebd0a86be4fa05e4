//! Finds endpoints with events before them, and has each delivered to by a task of its own, so that a slow one delays
//! no other. Several processes on one database share the work: whoever has the lease delivers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::deliver::{LEASE, deliver};
use super::lanes::{Lane, Standing};
use super::model::Endpoint;
use super::queries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::events::number::{STRETCH, number_some};

/// How often it looks for something to do.
const ROUND: Duration = Duration::from_millis(200);
/// How long it rests between two looks at least, when somebody has made room for who waits.
const REST: Duration = Duration::from_millis(20);

/// The deliveries that are going on.
struct Dispatcher {
    app: App,
    lanes: [Lane; 2],
    tasks: JoinSet<()>,
    /// Somebody who was not through has made room for others.
    room: Arc<Notify>,
}

/// Works until `stop`. Then every delivery ends with the event that is on its way, and that is written down; what takes
/// longer than `patience` is left, and delivered again by whoever comes next.
pub async fn run(app: App, stop: impl Future<Output = ()>, patience: Duration) {
    let mut dispatcher = Dispatcher::new(app);
    let mut stop = std::pin::pin!(stop);
    loop {
        if let Err(error) = dispatcher.begin().await {
            log::warn!("webhooks wait, later again: {}", error.cause());
        }
        let next = async {
            sleep(REST).await;
            let _ = timeout(ROUND.saturating_sub(REST), dispatcher.room.notified()).await;
        };
        tokio::select! {
            () = next => {}
            () = &mut stop => break,
        }
    }
    for lane in &dispatcher.lanes {
        lane.close();
    }
    let all = async { while dispatcher.tasks.join_next().await.is_some() {} };
    if timeout(patience, all).await.is_err() {
        log::warn!("a webhook is on its way, and will be sent again");
    }
}

/// Delivers everything that is due now, and waits until that is done.
///
/// # Errors
/// The database's, before a delivery; what goes wrong at one endpoint is in the log.
pub async fn deliver_due(app: &App) -> Result<(), Error> {
    let mut dispatcher = Dispatcher::new(app.clone());
    while dispatcher.begin().await? > 0 {
        while dispatcher.tasks.join_next().await.is_some() {}
    }
    Ok(())
}

impl Dispatcher {
    fn new(app: App) -> Self {
        Self {
            app,
            lanes: [Lane::new(Standing::Well), Lane::new(Standing::Failing)],
            tasks: JoinSet::new(),
            room: Arc::default(),
        }
    }

    /// Begins as many deliveries as there is room for. How many that were.
    async fn begin(&mut self) -> Result<usize, Error> {
        while self.tasks.try_join_next().is_some() {}
        let app = &self.app;
        let unnumbered = app
            .db
            .read(|conn| Ok(queries::accounts_to_number(conn)?))
            .await?;
        for account in unnumbered {
            app.db
                .write(move |conn, _| number_some(conn, &account, STRETCH))
                .await?;
        }
        let mut begun = 0;
        for lane in &self.lanes {
            for endpoint in lease(app, lane).await? {
                let Some(place) = lane.enter() else { break };
                let (app, room) = (app.clone(), self.room.clone());
                self.tasks.spawn(async move {
                    let id = endpoint.id.clone();
                    match deliver(&app, endpoint, place).await {
                        Ok(true) => {}
                        Ok(false) => room.notify_one(),
                        Err(error) => {
                            log::warn!("{} waits, later again: {}", id.as_str(), error.cause());
                        }
                    }
                });
                begun += 1;
            }
        }
        Ok(begun)
    }
}

/// Takes leases on endpoints that are due, as many as have room in the lane.
async fn lease(app: &App, lane: &Lane) -> Result<Vec<Endpoint>, Error> {
    let (standing, now) = (lane.standing, app.clock.now());
    let room = i64::try_from(lane.room()).unwrap_or(0);
    if room == 0 {
        return Ok(Vec::new());
    }
    // Most rounds find nothing, and then nobody has to wait for a write.
    let due = app
        .db
        .read_at_length(move |conn| Ok(queries::list_due(conn, standing, now, room)?))
        .await?;
    if due.is_empty() {
        return Ok(due);
    }
    let work = move |conn: &mut _, now: Timestamp| {
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
