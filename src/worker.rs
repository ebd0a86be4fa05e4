//! What happens without a request: scans that the journal kept are stored, scans are filed and events numbered, old scans
//! lose what is personal about them, and old deliveries and events are deleted.

mod filing;
mod pace;
mod replay;
mod retention;

use std::time::{Duration, Instant};

use futures_util::future::join;

use crate::accounts;
use crate::app::App;
use crate::error::Error;
use crate::events::number::{STRETCH, number_all};
use crate::ids::AccountId;
use crate::webhooks;
pub use filing::file_scans;
use filing::{CROWD, come};
use pace::Pace;
use replay::Replay;
pub use replay::replay_journal;
use retention::now_and_then;
pub use retention::{Reached, retain, tidy};

/// How often the worker looks for something to do.
const ROUND: Duration = Duration::from_secs(1);
/// How many rounds pass between two looks at how far webhooks are behind.
const MEASURES: u64 = 10;
/// In a crowd filing waits until so many scans wait, because lists have to look through them.
const MOST_UNFILED: u64 = 3_000_000;

/// In a crowd numbering events waits too, until there have been so many signups, whose events somebody will ask for.
const MOST_UNNUMBERED: u64 = 200_000;
/// How many events are numbered in one statement beside a busy process.
const SHORT_STRETCH: usize = 100;

/// Works until it is dropped. Several processes on one database may do so at the same time.
pub async fn run(app: App) {
    // What is old may be very much: nothing that is done each second waits for it.
    join(round_after_round(&app), now_and_then(&app)).await;
}

async fn round_after_round(app: &App) {
    let mut rounds = tokio::time::interval(ROUND);
    let mut replay = Replay::new(app);
    // How many scans had been written when last all were filed. Nobody knows what was there before the start.
    let mut filed = None;
    let (mut seen, mut numbered) = (0, 0);
    for round in 0.. {
        rounds.tick().await;
        replay.round(app).await;
        let written = app.scans.written();
        let unfiled = filed.map(|filed| written - filed);
        let new = come(app) - seen;
        seen += new;
        if unfiled.is_none_or(|unfiled| (unfiled > 0 && new < CROWD) || unfiled > MOST_UNFILED) {
            let in_a_crowd = unfiled.is_some_and(|unfiled| unfiled > MOST_UNFILED);
            // However many there are, the other work has its turn: what was begun goes on in the next round.
            match file_scans(app, in_a_crowd, ROUND).await {
                Ok(true) => filed = Some(written),
                Ok(false) => {}
                Err(error) => later("scans could not be filed", &error),
            }
        }
        let signups = app.signups.written();
        if new < CROWD || signups - numbered > MOST_UNNUMBERED {
            match number_events(app, ROUND).await {
                Ok(true) => numbered = signups,
                Ok(false) => {}
                Err(error) => later("events could not be numbered", &error),
            }
        }
        if round % MEASURES == 0
            && let Err(error) = measure(app).await
        {
            later("nobody knows how far webhooks are behind", &error);
        }
    }
}

/// Says what could not be done now.
fn later(what: &str, error: &Error) {
    log::warn!("{what}, later again: {}", error.cause());
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

/// All accounts there are.
pub(crate) async fn accounts(app: &App) -> Result<Vec<AccountId>, Error> {
    let accounts = app
        .db
        .read(|conn| Ok(accounts::queries::list(conn)?))
        .await?;
    Ok(accounts.into_iter().map(|account| account.id).collect())
}
