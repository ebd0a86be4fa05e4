//! What is old loses what is personal about it, or is deleted.

use std::collections::HashMap;
use std::time::Duration;

use super::{accounts, later};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::erasures;
use crate::erasures::forget::OfScan;
use crate::error::Error;
use crate::events::number::number_new;
use crate::ids::{AccountId, ImpressionId};
use crate::impressions::forget::forget;
use crate::webhooks::forget_events::forget_events;
use crate::webhooks::retain::forget as forget_deliveries;

/// How much time passes between two looks at what is old.
const PAUSE: Duration = Duration::from_mins(10);
/// After so many looks, a day's, everything is gone through from the beginning: a scan that is reported late stands among old
/// ones.
const ANEW: u64 = 144;

/// How far each account's scans, and the events of scans, have been gone through. Lost with the process, and then made again.
#[derive(Debug, Default)]
pub struct Reached(HashMap<AccountId, ImpressionId>, HashMap<AccountId, OfScan>);

/// Looks for what is old, for ever.
pub(super) async fn now_and_then(app: &App) {
    let mut reached = Reached::default();
    for look in 0_u64.. {
        if look % ANEW == 0 {
            reached = Reached::default();
        }
        match retain(app, &mut reached).await {
            Ok(0) => {}
            Ok(scans) => log::info!("forgot what was personal about {scans} scans"),
            Err(error) => later("old scans could not be forgotten", &error),
        }
        match tidy(app).await {
            Ok((0, 0)) => {}
            Ok((deliveries, events)) => {
                log::info!("deleted {deliveries} old deliveries and {events} old events");
            }
            Err(error) => later("old events could not be deleted", &error),
        }
        tokio::time::sleep(PAUSE).await;
    }
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
