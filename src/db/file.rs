//! SQLite's file as a file: copied while it is in use, and put in its place whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use tempfile::TempPath;

use super::DbConnection;
use crate::error::Error;

/// Copies what the connection sees at this moment into the empty file at `path`. Others go on reading and writing.
pub(crate) fn copy(conn: &mut DbConnection, path: &Path) -> QueryResult<()> {
    sql_query("VACUUM INTO $1")
        .bind::<Text, _>(path.to_string_lossy())
        .execute(conn)?;
    Ok(())
}

/// Takes everything out of the write-ahead log and into the file at `path`, which nobody else uses.
pub(crate) fn settle(path: &Path) -> Result<(), Error> {
    let mut conn = DbConnection::open_for_long(&url(path))?;
    Ok(conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?)
}

/// The URL of the file.
pub(crate) fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// A file in the making. It stands beside its place under another name and is gone when this is dropped, or gets its
/// name when it is `finished`: whoever sees the name sees all of it.
#[derive(Debug)]
pub(crate) struct Draft {
    file: TempPath,
    place: PathBuf,
}

impl Draft {
    /// Begins a file that only its owner may read. There must be none at `place` yet.
    pub(crate) fn begin(place: &Path) -> Result<Self, Error> {
        if place.symlink_metadata().is_ok() {
            return Err(taken(place));
        }
        let place = std::path::absolute(place).map_err(|error| failed(place, &error))?;
        let file = tempfile::Builder::new()
            .prefix(".handbill-unfinished-")
            .tempfile_in(folder(&place))
            .map_err(|error| failed(&place, &error))?;
        Ok(Self {
            file: file.into_temp_path(),
            place,
        })
    }

    /// Where it stands meanwhile.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Puts it in its place, on disk before it has its name, and with its name on disk when this returns. What has
    /// taken the place meanwhile stays.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Self { file, place } = self;
        let synced = File::open(&file).and_then(|file| file.sync_all());
        synced.map_err(|error| failed(&place, &error))?;
        file.persist_noclobber(&place)
            .map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => taken(&place),
                _ => failed(&place, &error.error),
            })?;
        let named = File::open(folder(&place)).and_then(|folder| folder.sync_all());
        named.map_err(|error| failed(&place, &error))
    }
}

/// Holds the SQLite file at `url` for one server, until what it gives is dropped or the process ends, however it ends: the
/// system lets go of it. Whoever only works beside the server does not ask. The lock is on a file of its own, because closing
/// any other handle of the database's file would let go of SQLite's locks. PostgreSQL has room for several.
pub(crate) fn hold(url: &str) -> Result<Option<File>, Error> {
    hold_by(url, File::options().create(true).append(true))
}

/// The same for a moment without a server: where none ever was there is nothing to hold, and nothing is made.
pub(crate) fn hold_from_servers(url: &str) -> Result<Option<File>, Error> {
    hold_by(url, File::options().read(true))
}

fn hold_by(url: &str, options: &OpenOptions) -> Result<Option<File>, Error> {
    let Some(path) = url.strip_prefix("sqlite://").map(PathBuf::from) else {
        return Ok(None);
    };
    // Two names of one file are one database.
    let path = fs::canonicalize(&path).unwrap_or(path);
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let file = match options.open(&lock) {
        // Only for who does not make it.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => return Ok(None),
        opened => opened.map_err(|error| failed(&lock, &error))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Error::internal(format!(
            "another server is running on {}, and one process serves a SQLite file; stop that one first",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(&lock, &error)),
    }
}

/// SQLite's write-ahead log, when it is gone with its last user, leaves these names behind only if somebody still has
/// the file open, or died with it.
pub(crate) fn is_in_use(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn folder(place: &Path) -> &Path {
    place.parent().unwrap_or_else(|| Path::new("/"))
}

fn taken(place: &Path) -> Error {
    Error::Conflict {
        code: "already_there",
        message: format!(
            "there is something at {} already; it is left as it is",
            place.display()
        ),
    }
}

/// A sentence about a file that cannot be written. It names no draft, of which nobody knows.
fn failed(place: &Path, error: &io::Error) -> Error {
    let text = error.to_string();
    let cause = text.split(" at path ").next().unwrap_or(&text);
    Error::internal(format!("cannot write {}: {cause}", place.display()))
}
