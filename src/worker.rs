//! What happens without a request: old scans lose what is personal about them.

use std::time::Duration;

use crate::app::App;
use crate::error::Error;
use crate::impressions::forget::forget;

/// How often the worker looks for something to do.
const ROUND: Duration = Duration::from_mins(10);

/// Works until it is dropped. Several processes on one database may do so at the same time.
pub async fn run(app: App) {
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        rounds.tick().await;
        if let Err(error) = retain(&app).await {
            log::warn!(
                "old scans could not be forgotten, next try in {} minutes: {error:?}",
                ROUND.as_secs() / 60
            );
        }
    }
}

/// Forgets what is personal about scans past the retention. The number of scans.
///
/// # Errors
/// The database's.
pub async fn retain(app: &App) -> Result<usize, Error> {
    let Some(days) = app.config.scan_retention_days else {
        return Ok(0);
    };
    let cutoff = app.clock.now().plus_seconds(-i64::from(days) * 86_400);
    let mut forgotten = 0;
    loop {
        let batch = app.db.write(move |conn| forget(conn, cutoff)).await?;
        forgotten += batch;
        if batch == 0 {
            break;
        }
    }
    if forgotten > 0 {
        log::info!("forgot what was personal about {forgotten} scans");
    }
    Ok(forgotten)
}
