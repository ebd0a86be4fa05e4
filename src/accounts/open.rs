//! Verb: a tenant moves in.

use super::model::{Account, TimeZone};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;
use crate::text::Name;

/// Opens an account called `name`. Its days are those of UTC until somebody says otherwise.
///
/// # Errors
/// [`Error::Conflict`] if another account has the name, or the id, which was drawn.
pub fn open(
    conn: &mut DbConnection,
    id: AccountId,
    name: &Name,
    now: Timestamp,
) -> Result<Account, Error> {
    let account = Account {
        id,
        name: name.clone(),
        time_zone: TimeZone::default(),
        created_at: now,
    };
    if queries::insert_if_new(conn, &account)? {
        return Ok(account);
    }
    let called = queries::find_by_name_or_id(conn, name.as_str())?;
    Err(Error::Conflict {
        code: "account_exists",
        message: match called {
            Some(_) => format!("There is already an account called {}", name.as_str()),
            None => format!("The id {id} was drawn, which another account has; try again"),
        },
    })
}
