//! Verb: a SQLite file that is about to be migrated is copied first, beside itself. The last three copies are kept.

use std::fs;
use std::path::{Path, PathBuf};

use super::backup::backup;
use crate::clock::Timestamp;
use crate::db::migrations;
use crate::error::Error;

/// What the names of the copies have behind the file's own, before the moment.
const MARK: &str = ".before-upgrade-";
/// How many copies are kept.
const KEPT: usize = 3;

/// Copies the SQLite file at `url`, if migrations are missing in it and there is something in it. Where to.
///
/// # Errors
/// The database cannot be read or the copy not written: then it should not be migrated either.
pub fn keep(url: &str, now: Timestamp) -> Result<Option<PathBuf>, Error> {
    let Some(file) = url.strip_prefix("sqlite://").map(Path::new) else {
        return Ok(None);
    };
    if !file.exists() || !migrations::are_missing(url).map_err(Error::internal)? {
        return Ok(None);
    }
    let place = PathBuf::from(format!("{}{MARK}{}", file.display(), now.micros()));
    backup(url, &place)?;
    for old in copies(file)?.iter().rev().skip(KEPT) {
        fs::remove_file(old).map_err(Error::internal)?;
    }
    Ok(Some(place))
}

/// The copies beside `file`, oldest first.
fn copies(file: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let start = format!("{name}{MARK}");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::internal)? {
        let path = entry.map_err(Error::internal)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let moment = name.strip_prefix(&*start);
        if moment.is_some_and(|moment| moment.bytes().all(|byte| byte.is_ascii_digit())) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
