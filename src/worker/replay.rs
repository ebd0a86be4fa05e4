//! What the journal kept is stored.

use std::time::{Duration, Instant};

use super::ROUND;
use crate::app::App;
use crate::db::DbConnection;
use crate::error::Error;
use crate::impressions::journal::is_left_over;
use crate::impressions::model::Impression;
use crate::impressions::replay::{Entry, replay};

/// How many scans of the journal are stored in one transaction.
const TOGETHER: usize = 500;

/// The journal, from round to round.
pub(super) struct Replay {
    /// Whether there may be scans from before the start.
    is_left_over: bool,
    /// Why the last round could not store them.
    waits_for: Option<String>,
}

impl Replay {
    pub(super) fn new(app: &App) -> Self {
        Self {
            is_left_over: is_left_over(&app.config.scan_journal()),
            waits_for: None,
        }
    }

    /// Stores what there is, as far as that is possible now.
    pub(super) async fn round(&mut self, app: &App) {
        let journal = &app.journal;
        let is_needed = journal.is_in_use() || journal.waiting() > 0 || journal.is_broken();
        if !self.is_left_over && !is_needed {
            return;
        }
        let stored = replay_journal(app, ROUND).await;
        self.is_left_over &= stored.is_err();
        let cause = stored.as_ref().err().map(Error::cause);
        match (stored, &cause) {
            (Ok(0), _) => {}
            (Ok(scans), _) => log::info!("stored {scans} scans from the journal"),
            // Once is enough; that it goes on can be seen in the metrics.
            (Err(_), Some(new)) if cause != self.waits_for => {
                log::warn!("the journal waits: {new}");
            }
            (Err(_), _) => {}
        }
        self.waits_for = cause;
    }
}

/// Stores the scans that are in the journal, each once, some at a time, as many as it gets to `within` so long. How many that
/// were.
///
/// # Errors
/// The database's, as long as it takes none; the journal's.
pub async fn replay_journal(app: &App, within: Duration) -> Result<usize, Error> {
    let (started, mut stored) = (Instant::now(), 0);
    loop {
        let lines = match app.journal.read().await {
            Ok(lines) => lines,
            Err(unreadable) => {
                // That keeps no scan from a database that takes it.
                app.db.write_unseen(|_, _| Ok(())).await?;
                app.journal.use_it(false);
                return Err(unreadable);
            }
        };
        // There may be a stretch of nothing before the next one, after a power cut.
        if lines.is_empty() && app.journal.waiting() == 0 {
            break;
        }
        let impressions: Vec<Impression> = lines.iter().filter_map(|line| read(line)).collect();
        for some in impressions.chunks(TOGETHER) {
            stored += store(app, some).await?;
        }
        if app.journal.is_in_use() {
            if stored == 0 {
                // All were stored already, so nothing has shown yet that the database takes writes.
                app.db.write_unseen(|_, _| Ok(())).await?;
            }
            // Scans of now need not wait until all of before are stored.
            app.journal.use_it(false);
        }
        app.journal.done().await?;
        if started.elapsed() > within && app.journal.waiting() > 0 {
            return Ok(stored);
        }
    }
    if app.journal.is_in_use() {
        // Nothing was stored, so nothing has shown yet that the database takes writes.
        app.db.write_unseen(|_, _| Ok(())).await?;
        app.journal.use_it(false);
    }
    Ok(stored)
}

fn read(line: &str) -> Option<Impression> {
    let impression = Entry::impression(line);
    if impression.is_none() {
        log::warn!("a line of the scan journal cannot be read and is passed over");
    }
    impression
}

/// Stores scans. One that the database will never take (its poster is not there any more, after a restore) must
/// not keep the others waiting: it is left out, and the log says so.
async fn store(app: &App, scans: &[Impression]) -> Result<usize, Error> {
    let (all, are_events) = (scans.to_vec(), app.config.impression_events);
    let work = move |conn: &mut DbConnection, _| replay(conn, &all, are_events);
    let stored = app.db.write(work).await;
    match (stored, scans) {
        (Err(error), [scan]) if error.is_about_a_row() => {
            let (id, cause) = (scan.id.as_str(), error.cause());
            log::error!("scan {id} cannot be stored: {cause}");
            Ok(0)
        }
        (Err(error), _) if error.is_about_a_row() => {
            let mut stored = 0;
            for scan in scans {
                stored += Box::pin(store(app, std::slice::from_ref(scan))).await?;
            }
            Ok(stored)
        }
        (stored, _) => stored,
    }
}
