//! Verb: what was done is noted, in the transaction in which it is done.

use super::model::Act;
use super::queries;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::Recorded;

/// Notes an act.
pub fn note(conn: &mut DbConnection, act: &Act) -> Result<(), Error> {
    Ok(queries::insert(conn, act)?)
}

/// Notes an act that was to change something, if it did.
pub fn note_if_changed<T: PartialEq>(
    conn: &mut DbConnection,
    before: Option<&T>,
    after: &T,
    act: &Act,
) -> Result<(), Error> {
    match before == Some(after) {
        true => Ok(()),
        false => note(conn, act),
    }
}

/// Notes an act that was to make something, unless it was made before.
pub fn note_if_new<T>(
    conn: &mut DbConnection,
    recorded: &Recorded<T>,
    act: impl FnOnce(&T) -> Act,
) -> Result<(), Error> {
    match recorded {
        Recorded::New(row) => note(conn, &act(row)),
        Recorded::Replayed(_) => Ok(()),
    }
}
