//! Verb: events get their places in the order.

use super::queries;
use crate::db::{DbConnection, name};
use crate::error::Error;
use crate::ids::AccountId;

/// Numbers the account's events that have no number yet, after those that have. One process does so at a time, and
/// sees all that was committed before: so numbers have no gaps, and an event that becomes visible later is later.
pub fn number(conn: &mut DbConnection, account: &AccountId) -> Result<(), Error> {
    if !queries::has_unnumbered(conn, account)? {
        return Ok(());
    }
    name::hold(conn, &[account.as_str(), "events"])?;
    Ok(queries::number(conn, account)?)
}
