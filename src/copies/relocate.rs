//! Verb: everything moves into another database. Killed at any point, it goes on where it was when it is asked again.

use std::path::Path;

use serde::Serialize;

use super::everything::{self, Copied};
use super::{backup, refused};
use crate::audit;
use crate::audit::report::Report;
use crate::clock::Timestamp;
use crate::db::file::{self, Draft};
use crate::db::rows::Shape;
use crate::db::snapshot::{all_or_nothing, on_a_snapshot, while_nobody_writes};
use crate::db::tables::TABLES;
use crate::db::{DbConnection, address, migrations, unfinished};
use crate::encryption::EncryptionKeys;
use crate::erasures::again::{Erased, again};
use crate::error::Error;

/// All of it is there, and the same.
#[derive(Debug, Serialize)]
pub struct Moved {
    /// Table by table.
    pub tables: Vec<Copied>,
    /// What the audit says of it there.
    #[serde(skip)]
    pub report: Report,
    /// How many people were erased in it who are not in what it was made of.
    pub erased: usize,
}

/// Copies the database at `from` into the one at `to`, which must be empty or the beginning of this copy, compares the two
/// row by row, and adds everything up there. Nobody can write to the first one meanwhile. It stays as it was.
///
/// # Errors
/// One of the two cannot be used, or they are not the same in the end.
pub fn relocate(from: &str, to: &str, now: Timestamp) -> Result<Moved, Error> {
    without_the_erased(from, to, &[], (&EncryptionKeys::default(), now))
}

/// The same with a backup, in which there are people who were `erased` since.
pub(super) fn without_the_erased(
    from: &str,
    to: &str,
    erased: &[Erased],
    (keys, now): (&EncryptionKeys, Timestamp),
) -> Result<Moved, Error> {
    let origin = without_password(from);
    if origin == without_password(to) {
        return Err(refused("both are the same database"));
    }
    migrations::check(from).map_err(refused)?;
    let mut source = DbConnection::open_for_long(from)?;
    everything::number_events(&mut source)?;
    match to.strip_prefix("sqlite://") {
        None => into_postgres(&origin, &mut source, to, |target| {
            again(target, erased, (keys, now))
        }),
        Some(_) if matches!(source, DbConnection::Sqlite(_)) => Err(refused(
            "a file is copied into another file with `handbill backup`",
        )),
        Some(place) => into_file(&mut source, Path::new(place)),
    }
}

/// `last` is what happens to the copy before anybody can use it.
fn into_postgres(
    origin: &str,
    source: &mut DbConnection,
    to: &str,
    last: impl FnOnce(&mut DbConnection) -> Result<usize, Error>,
) -> Result<Moved, Error> {
    migrations::bring_up_to_date(to).map_err(refused)?;
    let mut target = DbConnection::open_for_long(to)?;
    match unfinished::origin(&mut target)? {
        Some(begun) if begun == origin => {}
        Some(begun) => {
            return Err(refused(format!(
                "{begun} is being copied into that database; finish that first, or empty it"
            )));
        }
        None => begin(origin, &mut target)?,
    }
    let (tables, erased) = while_nobody_writes(source, &names(), |source| {
        everything::copy(source, &mut target)?;
        let tables = everything::compare(source, &mut target)?;
        // Both or neither: who goes on after an interruption compares again.
        let erased = all_or_nothing(&mut target, |target| {
            everything::number_late_events(target)?;
            let erased = last(target)?;
            unfinished::end(target)?;
            Ok(erased)
        })?;
        Ok((tables, erased))
    })?;
    let report = on_a_snapshot(&mut target, audit::verify::verify)?;
    Ok(Moved {
        tables,
        report,
        erased,
    })
}

/// A file is made anew each time: it has its name when all of it is there.
fn into_file(source: &mut DbConnection, place: &Path) -> Result<Moved, Error> {
    let draft = Draft::begin(place)?;
    migrations::bring_up_to_date(&file::url(draft.path())).map_err(refused)?;
    let mut target = DbConnection::open_for_long(&file::url(draft.path()))?;
    let tables = while_nobody_writes(source, &names(), |source| {
        all_or_nothing(&mut target, |target| {
            everything::copy(source, target)?;
            everything::compare(source, target)
        })
    })?;
    drop(target);
    let report = backup::finish(draft, place)?.report.unwrap_or_default();
    Ok(Moved {
        tables,
        report,
        erased: 0,
    })
}

fn begin(origin: &str, target: &mut DbConnection) -> Result<(), Error> {
    for table in TABLES {
        if Shape::of(target, table)?.last(target)?.is_some() {
            return Err(refused(format!(
                "that database is not empty: there is something in {}",
                table.name
            )));
        }
    }
    Ok(unfinished::begin(target, origin)?)
}

fn names() -> String {
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    names.join(", ")
}

/// What tells one database from another, and can be shown.
fn without_password(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite://") {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
        return file::url(&path);
    }
    address::shown(url)
}
