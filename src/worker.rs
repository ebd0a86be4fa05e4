//! What happens without a request: old scans lose what is personal about them.

use std::collections::HashMap;
use std::time::Duration;

use crate::accounts;
use crate::app::App;
use crate::error::Error;
use crate::ids::{AccountId, ImpressionId};
use crate::impressions::forget::forget;

/// How often the worker looks for something to do.
const ROUND: Duration = Duration::from_mins(10);

/// How far each account's scans have been gone through. Lost with the process, and then made again.
#[derive(Debug, Default)]
pub struct Reached(HashMap<AccountId, ImpressionId>);

/// Works until it is dropped. Several processes on one database may do so at the same time.
pub async fn run(app: App) {
    let mut reached = Reached::default();
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        rounds.tick().await;
        match retain(&app, &mut reached).await {
            Ok(0) => {}
            Ok(scans) => log::info!("forgot what was personal about {scans} scans"),
            Err(error) => log::warn!("old scans could not be forgotten, later again: {error:?}"),
        }
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
    let accounts = app
        .db
        .read(|conn| Ok(accounts::queries::list(conn)?))
        .await?;
    let mut forgotten = 0;
    for account in accounts {
        loop {
            let (id, after) = (account.id.clone(), reached.0.get(&account.id).cloned());
            let stretch = app
                .db
                .write(move |conn, _| forget(conn, &id, after.as_ref(), cutoff))
                .await?;
            let Some(stretch) = stretch else { break };
            forgotten += stretch.forgotten;
            reached.0.insert(account.id.clone(), stretch.last);
        }
    }
    Ok(forgotten)
}
