//! Verb: events get their places in the order.
//!
//! On PostgreSQL events are numbered after they are there: when somebody asks for them, when an endpoint waits for them, and
//! by the worker, so that there are never too many at once. On SQLite they have their numbers from the beginning; only what
//! was copied from PostgreSQL may lack some.

use super::queries;
use crate::db::{Db, DbConnection, name};
use crate::error::Error;
use crate::ids::AccountId;

/// How many events are numbered in one statement, if nothing speaks for fewer: more cost little less each, and take a
/// processor for longer.
pub const STRETCH: usize = 500;

/// Numbers the account's events that have no number yet, after those that have. One process does so at a time, and
/// sees all that was committed before: so numbers have no gaps, and an event that becomes visible later is later. Until the
/// transaction ends nobody else numbers, so those that have none keep their place among those that wait.
pub fn number(conn: &mut DbConnection, account: &AccountId) -> Result<(), Error> {
    while number_some(conn, account, STRETCH)? {}
    Ok(())
}

/// The same of the first of them, at most `most`. Whether there may be more.
pub fn number_some(
    conn: &mut DbConnection,
    account: &AccountId,
    most: usize,
) -> Result<bool, Error> {
    if !queries::has_unnumbered(conn, account)? {
        return Ok(false);
    }
    name::hold(conn, &[&account.text(), "events"])?;
    Ok(queries::number(conn, account, most)? == most)
}

/// The same of all of them, some in each transaction, so that nobody waits long.
///
/// # Errors
/// The database's.
pub async fn number_new(db: &Db, account: &AccountId) -> Result<(), Error> {
    while number_next(db, account, STRETCH).await? {}
    Ok(())
}

/// The next of them, at most `most`. Whether there may be more.
async fn number_next(db: &Db, account: &AccountId, most: usize) -> Result<bool, Error> {
    let id = *account;
    let is_needed = db.read(move |conn| Ok(queries::has_unnumbered(conn, &id)?));
    let id = *account;
    Ok(is_needed.await?
        && db
            .write(move |conn, _| number_some(conn, &id, most))
            .await?)
}

/// The same for every account before anybody asks: the first of each, at most `most`, so that whoever calls it again and
/// again goes on with other things in between. Whether that were all.
///
/// # Errors
/// The database's.
pub async fn number_all(db: &Db, most: usize) -> Result<bool, Error> {
    let accounts = db.read(|conn| Ok(queries::accounts_to_number(conn)?));
    let mut is_all = true;
    for account in accounts.await? {
        is_all &= !number_next(db, &account, most).await?;
    }
    Ok(is_all)
}
