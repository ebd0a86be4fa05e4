//! Verb: a tenant's days begin at another time.

use super::model::{Account, TimeZone};
use super::queries;
use crate::db::DbConnection;
use crate::error::Error;

/// Has the account's days begin as they do in `time_zone`.
pub fn edit(
    conn: &mut DbConnection,
    account: Account,
    time_zone: TimeZone,
) -> Result<Account, Error> {
    queries::update_time_zone(conn, &account.id, time_zone)?;
    Ok(Account {
        time_zone,
        ..account
    })
}
