//! Verb: a backup is put in place.

use std::fs;
use std::path::Path;

use super::backup::{self, Backup};
use super::{refused, relocate};
use crate::db::file::{self, Draft};
use crate::db::migrations;
use crate::error::Error;

/// What became of a backup.
#[derive(Debug)]
pub enum Restored {
    /// It is SQLite's file now, brought up to date.
    AsFile(Backup),
    /// Its rows are in PostgreSQL.
    IntoPostgres(relocate::Moved),
}

/// Puts the backup at `from` where `url` says, where there must be nothing yet. The backup stays as it is.
///
/// # Errors
/// There is something already, the backup is damaged, or it is of a newer version.
pub fn restore(from: &Path, url: &str) -> Result<Restored, Error> {
    if !from.is_file() {
        return Err(refused(format!("there is no file {}", from.display())));
    }
    if file::is_in_use(from) {
        return Err(refused(format!(
            "{} is a database that is in use, or was when its server died; make a backup of it",
            from.display()
        )));
    }
    match url.strip_prefix("sqlite://") {
        Some(place) => as_file(from, Path::new(place)).map(Restored::AsFile),
        None => relocate::relocate(&file::url(from), url).map(Restored::IntoPostgres),
    }
}

fn as_file(from: &Path, place: &Path) -> Result<Backup, Error> {
    if file::is_in_use(place) {
        return Err(refused(format!(
            "beside {} there is the write-ahead log of another database; move it away",
            place.display()
        )));
    }
    let draft = Draft::begin(place)?;
    fs::copy(from, draft.path()).map_err(Error::internal)?;
    migrations::bring_up_to_date(&file::url(draft.path())).map_err(refused)?;
    backup::finish(draft, place)
}
