//! Scans are filed when there is time for it.

use std::time::{Duration, Instant};

use super::accounts;
use super::pace::Pace;
use crate::app::App;
use crate::db::order;
use crate::error::Error;
use crate::impressions::file;

/// So many scans and signups a second are a crowd, for which filing waits: it takes the writer's time from the phones.
pub(super) const CROWD: u64 = 200;
/// How many scans are filed in one transaction: with more of them a scan costs little less, and whoever wants to write
/// meanwhile waits for all.
const STRETCH: i64 = 250;
/// The same beside a busy process. A scan costs half as much again on SQLite, and more than twice as much on PostgreSQL.
const SHORT_STRETCH: i64 = 50;

/// How many scans and signups have come since the start.
pub(super) fn come(app: &App) -> u64 {
    app.scans.written() + app.signups.written()
}

/// Files all scans that are not filed yet, or those that it gets to `within` so long and before a crowd comes, unless
/// `in_a_crowd`. Whether it got to all. What it has begun it waits for: a slow database must not get more and more of it.
///
/// # Errors
/// The database's.
pub async fn file_scans(app: &App, in_a_crowd: bool, within: Duration) -> Result<bool, Error> {
    let (started, mut pace) = (Instant::now(), Pace::new());
    for account in accounts(app).await? {
        loop {
            let (id, clock) = (account, app.clock.clone());
            let most = pace.piece(STRETCH, SHORT_STRETCH);
            let work = move |conn: &mut _, _| {
                let settled = order::settled_before(conn, &clock)?;
                file::file(conn, &id, settled, most)
            };
            let (began, before) = (Instant::now(), come(app));
            if !app.db.write_unseen(work).await? {
                break;
            }
            pace.rest(began.elapsed()).await;
            let is_crowd = is_crowd(come(app) - before, began.elapsed());
            let is_over = started.elapsed() > within || app.journal.is_in_use();
            if is_over || (is_crowd && !in_a_crowd) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Whether it is a crowd if so many came in so long.
fn is_crowd(came: u64, within: Duration) -> bool {
    u128::from(came) * 1000 > u128::from(CROWD) * within.as_millis().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_more_than_two_hundred_in_a_second() {
        assert!(is_crowd(201, Duration::from_secs(1)));
        assert!(!is_crowd(200, Duration::from_secs(1)));
        assert!(is_crowd(1, Duration::from_millis(4)));
        assert!(!is_crowd(0, Duration::ZERO));
    }
}
