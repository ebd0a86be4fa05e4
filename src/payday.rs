//! What money needs time for: holds end, runs go on until they are through, schedules fall due. Each is done in steps,
//! every step a write of its own. The worker does it without a request, and `payouts:collect` within one.

use std::time::Duration;

use crate::app::App;
use crate::earnings::queries::list_to_release;
use crate::earnings::release::release_due;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId};
use crate::payouts::collect::go_on;
use crate::payouts::model::{Collection, CollectionStatus};
use crate::payouts::{collection_queries, schedule};
use crate::worker;

/// How often the worker looks for something to do.
const ROUND: Duration = Duration::from_secs(5);
/// How many holds end in one transaction.
const RELEASED_TOGETHER: i64 = 500;
/// After so many seconds without a step a run is taken for left behind.
const LEFT_BEHIND: i64 = 30;

/// Works until it is dropped. Several processes on one database may do so at the same time.
pub async fn run(app: App) {
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        rounds.tick().await;
        // What failed is in the log by now, and is tried again in the next round.
        if let Err(error) = pay_day(&app).await {
            log::debug!("a round without all payouts: {}", error.cause());
        }
    }
}

/// Ends the holds that are due, begins the runs that are due, and goes on with those that were left behind. What fails
/// keeps nothing else waiting.
///
/// # Errors
/// The last thing that failed.
pub async fn pay_day(app: &App) -> Result<(), Error> {
    let mut outcome = Ok(());
    for account in worker::accounts(app).await? {
        for done in [
            release_holds(app, &account).await.map(|_| ()),
            keep_schedules(app, &account).await,
            finish_left_behind(app, &account).await,
        ] {
            if let Err(error) = done {
                log::warn!("payouts of {account} wait, later again: {}", error.cause());
                outcome = Err(error);
            }
        }
    }
    outcome
}

/// Ends the holds of the account that are due. How many that were.
///
/// # Errors
/// The database's.
pub async fn release_holds(app: &App, account: &AccountId) -> Result<usize, Error> {
    // Most rounds find nothing, and then nobody has to wait for a write.
    let (id, now) = (*account, app.clock.now());
    let first = move |conn: &mut _| Ok(list_to_release(conn, &id, now, 1)?);
    if app.db.read(first).await?.is_empty() {
        return Ok(0);
    }
    let mut released = 0;
    loop {
        let id = *account;
        let work = move |conn: &mut _, now| release_due(conn, &id, now, RELEASED_TOGETHER);
        let some = app.db.write(work).await?;
        released += some;
        if i64::try_from(some).unwrap_or(i64::MAX) < RELEASED_TOGETHER {
            return Ok(released);
        }
    }
}

/// Goes on with a run until it is through. `by` is the key that asks, none for handbill itself.
///
/// # Errors
/// The database's; the run is then left behind, for the worker or for who asks again.
pub async fn finish(
    app: &App,
    mut run: Collection,
    by: Option<ApiKeyId>,
) -> Result<Collection, Error> {
    while run.status == CollectionStatus::Collecting {
        let by = by.clone();
        let work = move |conn: &mut _, now| go_on(conn, &run.account_id, &run.id, by.as_ref(), now);
        run = app.db.write(work).await?;
    }
    Ok(run)
}

/// Begins what the schedules ask for, and goes on until it is through.
async fn keep_schedules(app: &App, account: &AccountId) -> Result<(), Error> {
    let (id, now) = (*account, app.clock.now());
    let due = app
        .db
        .read_at_length(move |conn| schedule::list_due(conn, &id, now))
        .await?;
    let mut outcome = Ok(());
    for program in due {
        let (id, of) = (*account, program.clone());
        let begin = move |conn: &mut _, now| schedule::begin_due(conn, &id, &of, now);
        let done = async {
            if let Some(run) = app.db.write(begin).await? {
                let run = finish(app, run, None).await?;
                log::info!(
                    "{} collected {} by schedule",
                    run.id.as_str(),
                    program.as_str()
                );
            }
            Ok(())
        };
        outcome = done.await.and(outcome);
    }
    outcome
}

/// Goes on with runs whose process ended, or whose request broke off.
async fn finish_left_behind(app: &App, account: &AccountId) -> Result<(), Error> {
    let (id, before) = (*account, app.clock.now().plus_seconds(-LEFT_BEHIND));
    let runs = app
        .db
        .read(move |conn| Ok(collection_queries::list_left_behind(conn, &id, before)?))
        .await?;
    let mut outcome = Ok(());
    for run in runs {
        log::info!("going on with {}, which was left behind", run.id.as_str());
        outcome = finish(app, run, None).await.map(|_| ()).and(outcome);
    }
    outcome
}
