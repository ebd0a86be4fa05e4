//! The lines of an exported account: one that says what it is, one for each row, and one that says that this was all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::ids::AccountId;

/// The format. Another number is another format.
pub(super) const VERSION: i64 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The format's version.
    pub(super) handbill_export: i64,
    /// The last migration of the database it was made of.
    pub(super) schema: String,
    /// Whose rows they are.
    pub(super) account_id: AccountId,
    /// What the account is called.
    pub(super) account: String,
    /// When.
    pub(super) exported_at: String,
    /// The names of the keys that its secrets are encrypted with.
    pub(super) encrypted_with: BTreeSet<String>,
}

impl Header {
    pub(super) fn new(
        schema: String,
        (account_id, account): (AccountId, &str),
        encrypted_with: BTreeSet<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            handbill_export: VERSION,
            schema,
            account_id,
            account: account.to_owned(),
            exported_at: now.to_string(),
            encrypted_with,
        }
    }
}

/// A line for a row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    /// Of which table.
    pub(super) table: String,
    /// Its columns.
    pub(super) row: Value,
}

/// The last line: a file without it was cut off.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Trailer {
    /// For each table, how many rows there are and what they add up to.
    pub(super) end: Map<String, Value>,
}
