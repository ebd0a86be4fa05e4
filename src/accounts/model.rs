//! A tenant.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::accounts;
use crate::ids::AccountId;
use crate::text::Name;

/// The name of the account that exists without anybody asking for it.
pub const DEFAULT_NAME: &str = "default";

/// The owner of keys, programs and everything below them.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub struct Account {
    /// `acct_…`
    pub id: AccountId,
    /// How the command line calls it; unique.
    pub name: Name,
    /// When it was opened.
    pub created_at: Timestamp,
}
