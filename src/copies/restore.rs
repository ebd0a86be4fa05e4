//! Verb: a backup is put in place. Who was erased since it was made is erased in it before anybody can read it.

use std::fs;
use std::path::Path;

use super::backup::{self, Backup};
use super::{refused, relocate};
use crate::clock::Timestamp;
use crate::db::file::{self, Draft};
use crate::db::snapshot::all_or_nothing;
use crate::db::standing::Standing;
use crate::db::{DbConnection, migrations};
use crate::encryption::EncryptionKeys;
use crate::erasures::again::{Erased, again};
use crate::error::Error;

/// What became of a backup.
#[derive(Debug)]
pub struct Restored {
    /// What it is now.
    pub place: Place,
    /// How many of those who were erased since were in it.
    pub erased: usize,
}

/// What a backup is now.
#[derive(Debug)]
pub enum Place {
    /// It is SQLite's file now, brought up to date.
    AsFile(Backup),
    /// Its rows are in PostgreSQL.
    IntoPostgres(relocate::Moved),
}

/// Puts the backup at `from` where `url` says, where there must be nothing yet, without those who were `erased` since. The
/// backup stays as it is.
///
/// # Errors
/// There is something already, the file is damaged or no backup, or it is of a newer version.
pub fn restore(
    from: &Path,
    url: &str,
    erased: &[Erased],
    (keys, now): (&EncryptionKeys, Timestamp),
) -> Result<Restored, Error> {
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
        Some(place) => as_file(from, Path::new(place), erased, (keys, now)),
        None => {
            refuse_other_files(from, from)?;
            let moved = relocate::without_the_erased(&file::url(from), url, erased, (keys, now))?;
            Ok(Restored {
                erased: moved.erased,
                place: Place::IntoPostgres(moved),
            })
        }
    }
}

fn as_file(
    from: &Path,
    place: &Path,
    erased: &[Erased],
    (keys, now): (&EncryptionKeys, Timestamp),
) -> Result<Restored, Error> {
    if file::is_in_use(place) {
        return Err(refused(format!(
            "beside {} there is the write-ahead log of another database; move it away",
            place.display()
        )));
    }
    let draft = Draft::begin(place)?;
    fs::copy(from, draft.path()).map_err(Error::internal)?;
    refuse_other_files(draft.path(), from)?;
    migrations::bring_up_to_date(&file::url(draft.path())).map_err(refused)?;
    let mut conn = DbConnection::open_for_long(&file::url(draft.path()))?;
    let erased = all_or_nothing(&mut conn, |conn| again(conn, erased, (keys, now)))?;
    drop(conn);
    let made = backup::finish(draft, place)?;
    let place = Place::AsFile(made);
    Ok(Restored { place, erased })
}

/// Refuses what is in `file`, which is called `name`, if it is no database of ours that this program knows.
fn refuse_other_files(file: &Path, name: &Path) -> Result<(), Error> {
    let name = name.display();
    let standing = Standing::at(&file::url(file))
        .map_err(|cause| refused(format!("{name} cannot be read: {cause}")))?;
    match standing {
        Standing::Older | Standing::Current => Ok(()),
        Standing::Nothing => Err(refused(format!(
            "{name} is no backup: there is nothing in it"
        ))),
        Standing::NotOurs => Err(refused(format!(
            "{name} is no backup: it is a database of another program's"
        ))),
        Standing::Newer(version) => Err(refused(format!(
            "{name} is a backup of a newer handbill (migration {version} is unknown to this one); restore it with that \
             version"
        ))),
    }
}
