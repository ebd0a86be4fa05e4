//! Verb: everything is copied into a file, while servers go on working.

use std::path::{Path, PathBuf};

use super::{everything, refused};
use crate::audit;
use crate::audit::report::Report;
use crate::db::file::{self, Draft};
use crate::db::snapshot::{all_or_nothing, on_a_snapshot};
use crate::db::{DbConnection, migrations};
use crate::error::Error;

/// A copy that is on disk, under its name, and was looked through.
#[derive(Debug)]
pub struct Backup {
    /// Where.
    pub place: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// What the audit says of what is in it; `None`, if that is of an older version. The file itself is whole.
    pub report: Option<Report>,
}

/// Makes a SQLite file at `place` of the database at `url`: as it is at one moment after this was called, so that it has
/// everything that was answered before. It has its name only when it is whole, checked, and on disk.
///
/// # Errors
/// There is something at `place`, the database cannot be read or the file not written; it is none of ours, or of a newer
/// version; or the copy is damaged.
pub fn backup(url: &str, place: &Path) -> Result<Backup, Error> {
    migrations::expect(url).map_err(refused)?;
    let draft = Draft::begin(place)?;
    let mut source = DbConnection::open_for_long(url)?;
    match source {
        DbConnection::Sqlite(_) => file::copy(&mut source, draft.path())?,
        DbConnection::Postgres(_) => from_postgres(url, &mut source, draft.path())?,
    }
    drop(source);
    finish(draft, place)
}

/// Looks through the file, which nobody else uses, and gives it its name.
pub(super) fn finish(draft: Draft, place: &Path) -> Result<Backup, Error> {
    let report = look_through(draft.path())?;
    file::settle(draft.path())?;
    let size = std::fs::metadata(draft.path()).map_err(Error::internal)?;
    draft.finish()?;
    Ok(Backup {
        place: place.to_owned(),
        bytes: size.len(),
        report,
    })
}

/// One state of all tables, row by row.
fn from_postgres(url: &str, source: &mut DbConnection, path: &Path) -> Result<(), Error> {
    migrations::check(url).map_err(refused)?;
    everything::number_events(source)?;
    migrations::bring_up_to_date(&file::url(path)).map_err(refused)?;
    let mut target = DbConnection::open_for_long(&file::url(path))?;
    on_a_snapshot(source, |source| {
        all_or_nothing(&mut target, |target| {
            everything::copy(source, target)?;
            everything::compare(source, target)
        })
    })?;
    // What was written between the numbering and the copy.
    everything::number_events(&mut target)
}

fn look_through(path: &Path) -> Result<Option<Report>, Error> {
    let mut conn = DbConnection::open_for_long(&file::url(path))?;
    let whole = audit::verify::look_at_the_file(&mut conn)?;
    if let Some(problem) = whole.differences.first() {
        return Err(refused(format!(
            "the copy is damaged, and so perhaps is the database: {}: {}",
            problem.about, problem.problem
        )));
    }
    match migrations::are_missing(&file::url(path)) {
        Ok(false) => audit::verify::verify(&mut conn).map(Some),
        Ok(true) => Ok(None),
        Err(cause) => Err(Error::internal(cause)),
    }
}
