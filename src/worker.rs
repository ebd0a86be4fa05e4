//! What happens without a request: scans are filed and events numbered, old scans lose what is personal about them, and old
//! deliveries and events are deleted.

mod filing;
mod pace;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::accounts;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::erasures;
use crate::erasures::forget::OfScan;
use crate::error::Error;
use crate::events::number::{STRETCH, number_all, number_new};
use crate::ids::{AccountId, ImpressionId};
use crate::impressions::forget::forget;
use crate::impressions::journal::is_left_over;
use crate::impressions::model::Impression;
use crate::impressions::replay::{Entry, replay};
use crate::webhooks;
use crate::webhooks::forget_events::forget_events;
use crate::webhooks::retain::forget as forget_deliveries;
pub use filing::file_scans;
use filing::{CROWD, come};
use pace::Pace;

/// How often the worker looks for something to do.
const ROUND: Duration = Duration::from_secs(1);
/// How many rounds pass between two looks at what is old.
const RETENTION: u64 = 600;
/// How many rounds pass between two looks at how far webhooks are behind.
const MEASURES: u64 = 10;
/// In a crowd filing waits until so many scans wait, because lists have to look through them.
const MOST_UNFILED: u64 = 3_000_000;

/// In a crowd numbering events waits too, until there have been so many signups, whose events somebody will ask for.
const MOST_UNNUMBERED: u64 = 200_000;
/// How many events are numbered in one statement beside a busy process.
const SHORT_STRETCH: usize = 100;

/// How many scans of the journal are stored in one transaction.
const REPLAYED_TOGETHER: usize = 500;

/// How far each account's scans, and the events of scans, have been gone through. Lost with the process, and then made again.
#[derive(Debug, Default)]
pub struct Reached(HashMap<AccountId, ImpressionId>, HashMap<AccountId, OfScan>);

/// Works until it is dropped. Several processes on one database may do so at the same time.
pub async fn run(app: App) {
    let mut reached = Reached::default();
    let mut rounds = tokio::time::interval(ROUND);
    let left_over = is_left_over(&app.config.scan_journal());
    // How many scans had been written when last all were filed. Nobody knows what was there before the start.
    let mut filed = None;
    let (mut seen, mut numbered) = (0, 0);
    for round in 0.. {
        rounds.tick().await;
        if (round == 0 && left_over) || app.journal.is_in_use() || app.journal.waiting() > 0 {
            match replay_journal(&app).await {
                Ok(scans) => log::info!("stored {scans} scans from the journal"),
                Err(error) => log::warn!("the journal waits for the database: {error:?}"),
            }
        }
        let written = app.scans.written();
        let unfiled = filed.map(|filed| written - filed);
        let new = come(&app) - seen;
        seen += new;
        if unfiled.is_none_or(|unfiled| (unfiled > 0 && new < CROWD) || unfiled > MOST_UNFILED) {
            let in_a_crowd = unfiled.is_some_and(|unfiled| unfiled > MOST_UNFILED);
            // However many there are, the other work has its turn: what was begun goes on in the next round.
            match file_scans(&app, in_a_crowd, ROUND).await {
                Ok(true) => filed = Some(written),
                Ok(false) => {}
                Err(error) => log::warn!("scans could not be filed, later again: {error:?}"),
            }
        }
        let signups = app.signups.written();
        if new < CROWD || signups - numbered > MOST_UNNUMBERED {
            match number_events(&app, ROUND).await {
                Ok(true) => numbered = signups,
                Ok(false) => {}
                Err(error) => log::warn!("events could not be numbered, later again: {error:?}"),
            }
        }
        if round % MEASURES == 0
            && let Err(error) = measure(&app).await
        {
            log::warn!("nobody knows how far webhooks are behind: {error:?}");
        }
        if round % RETENTION == 0 {
            match retain(&app, &mut reached).await {
                Ok(0) => {}
                Ok(scans) => log::info!("forgot what was personal about {scans} scans"),
                Err(error) => {
                    log::warn!("old scans could not be forgotten, later again: {error:?}");
                }
            }
            match tidy(&app).await {
                Ok((0, 0)) => {}
                Ok((deliveries, events)) => {
                    log::info!("deleted {deliveries} old deliveries and {events} old events");
                }
                Err(error) => {
                    log::warn!("old events could not be deleted, later again: {error:?}");
                }
            }
        }
    }
}

/// Stores the scans that are in the journal, each once. How many that were.
///
/// # Errors
/// The database's, as long as it takes none; the journal's.
pub async fn replay_journal(app: &App) -> Result<usize, Error> {
    let lines = app.journal.read().await?;
    let impressions: Vec<Impression> = lines
        .iter()
        .filter_map(|line| {
            let impression = Entry::impression(line);
            if impression.is_none() {
                log::warn!("a line of the scan journal cannot be read and is passed over");
            }
            impression
        })
        .collect();
    let mut stored = 0;
    for some in impressions.chunks(REPLAYED_TOGETHER) {
        stored += store(app, some).await?;
    }
    if impressions.is_empty() {
        // Nothing to store, so nothing has shown yet that the database takes writes.
        app.db.write_unseen(|_, _| Ok(())).await?;
    }
    app.journal.use_it(false);
    app.journal.done().await?;
    Ok(stored)
}

/// Stores scans. One that the database will never take (its poster is not there any more, after a restore) must
/// not keep the others waiting: it is left out, and the log says so.
async fn store(app: &App, scans: &[Impression]) -> Result<usize, Error> {
    let (all, are_events) = (scans.to_vec(), app.config.impression_events);
    let work = move |conn: &mut _, _| replay(conn, &all, are_events);
    let stored = app.db.write(work).await;
    match (stored, scans) {
        (Err(Error::Internal(cause)), [scan]) => {
            log::error!("scan {} cannot be stored: {cause}", scan.id.as_str());
            Ok(0)
        }
        (Err(Error::Internal(_)), _) => {
            let mut stored = 0;
            for scan in scans {
                stored += Box::pin(store(app, std::slice::from_ref(scan))).await?;
            }
            Ok(stored)
        }
        (stored, _) => stored,
    }
}

/// Numbers the events that have no number yet, some at a time, as many as it gets to `within` so long. Whether it got to all.
async fn number_events(app: &App, within: Duration) -> Result<bool, Error> {
    let (started, mut pace) = (Instant::now(), Pace::new());
    while started.elapsed() <= within {
        let began = Instant::now();
        if number_all(&app.db, pace.piece(STRETCH, SHORT_STRETCH)).await? {
            return Ok(true);
        }
        pace.rest(began.elapsed()).await;
    }
    Ok(false)
}

/// Forgets what is personal about scans past the retention. The number of scans.
///
/// # Errors
/// The database's.
pub async fn retain(app: &App, reached: &mut Reached) -> Result<usize, Error> {
    let Some(days) = app.config.scan_retention_days else {
        return Ok(0);
    };
    let cutoff = app.clock.now().plus_seconds(-i64::from(days) * 86_400);
    let mut forgotten = 0;
    for account in accounts(app).await? {
        loop {
            let (id, after) = (account, reached.0.get(&account).cloned());
            let stretch = app
                .db
                .write(move |conn, _| forget(conn, &id, after.as_ref(), cutoff))
                .await?;
            let Some(stretch) = stretch else { break };
            forgotten += stretch.forgotten;
            reached.0.insert(account, stretch.last);
        }
        retain_events(app, account, cutoff, reached).await?;
    }
    Ok(forgotten)
}

/// Deletes deliveries and events past their retention. How many deliveries, and how many events.
///
/// # Errors
/// The database's.
pub async fn tidy(app: &App) -> Result<(usize, usize), Error> {
    let (mut deliveries, mut events) = (0, 0);
    for account in accounts(app).await? {
        let days = app.config.webhooks.delivery_retention_days;
        deliveries += until_none(app, &account, days, forget_deliveries).await?;
        let days = app.config.webhooks.event_retention_days;
        events += until_none(app, &account, days, forget_events).await?;
    }
    Ok((deliveries, events))
}

/// Has `some` delete what is older than `days`, some at a time, until there is none. How many that were.
async fn until_none(
    app: &App,
    account: &AccountId,
    days: Option<u32>,
    some: fn(&mut DbConnection, &AccountId, Timestamp) -> Result<usize, Error>,
) -> Result<usize, Error> {
    let Some(days) = days else { return Ok(0) };
    let cutoff = app.clock.now().plus_seconds(-i64::from(days) * 86_400);
    let mut deleted = 0;
    loop {
        let id = *account;
        match app.db.write(move |conn, _| some(conn, &id, cutoff)).await? {
            0 => return Ok(deleted),
            more => deleted += more,
        }
    }
}

/// Notes for the metrics how far webhooks are behind.
///
/// # Errors
/// The database's.
pub async fn measure(app: &App) -> Result<(), Error> {
    let load = |conn: &mut _| Ok(webhooks::lag_queries::backlog(conn)?);
    let backlog = app.db.read_at_length(load).await?;
    let age = backlog.oldest.map_or(0, |oldest| {
        (app.clock.now().micros() - oldest.micros()) / 1_000_000
    });
    app.metrics.note_backlog(backlog.events, age);
    Ok(())
}

/// The same for the events of scans, if there are any.
async fn retain_events(
    app: &App,
    account: AccountId,
    cutoff: Timestamp,
    reached: &mut Reached,
) -> Result<(), Error> {
    // What has no number yet could come to stand behind what was gone through.
    number_new(&app.db, &account).await?;
    loop {
        let (id, after) = (account, reached.1.get(&account).copied());
        let due = app
            .db
            .read_at_length(move |conn| erasures::forget::due(conn, &id, after, cutoff))
            .await?;
        let Some(last) = due.last().copied() else {
            return Ok(());
        };
        let id = account;
        app.db
            .write(move |conn, _| erasures::forget::forget(conn, &id, &due))
            .await?;
        reached.1.insert(account, last);
    }
}

/// All accounts there are.
pub(crate) async fn accounts(app: &App) -> Result<Vec<AccountId>, Error> {
    let accounts = app
        .db
        .read(|conn| Ok(accounts::queries::list(conn)?))
        .await?;
    Ok(accounts.into_iter().map(|account| account.id).collect())
}
