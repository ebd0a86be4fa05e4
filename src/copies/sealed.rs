//! What is encrypted in an exported account, and with which keys. Where they are missing, secrets would be there that nobody
//! can open and a server would not start, so whoever imports it is told before anything is read.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{everything, refused};
use crate::db::DbConnection;
use crate::db::rows::Shape;
use crate::db::tables::named;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::ids::AccountId;

/// Where something is encrypted, if anything is.
const SEALED: [(&str, &[&str]); 2] = [
    ("webhook_endpoints", &["secret", "old_secret"]),
    ("replies", &["body"]),
];

/// The names of the keys that what the account has is encrypted with. A name says nothing about its key.
pub(super) fn keys_of(
    conn: &mut DbConnection,
    account: AccountId,
) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    for table in SEALED.iter().filter_map(|(table, _)| named(table)) {
        let shape = Shape::of(conn, table)?;
        everything::each_page(conn, &shape, Some(account), None, |rows| {
            found.extend(keys_in(table.name, rows));
            Ok(())
        })?;
    }
    Ok(found)
}

/// The same of some rows of a table.
pub(super) fn keys_in(table: &str, rows: &[Value]) -> BTreeSet<String> {
    let columns = SEALED.iter().find(|(name, _)| *name == table);
    let columns = columns.map_or(&[][..], |(_, columns)| columns);
    let texts = rows
        .iter()
        .flat_map(|row| columns.iter().filter_map(|column| row[*column].as_str()));
    let names = texts.filter_map(EncryptionKeys::name_of);
    names.map(str::to_owned).collect()
}

/// Refuses what is encrypted with a key that is not here.
pub(super) fn must_open(keys: &EncryptionKeys, names: &BTreeSet<String>) -> Result<(), Error> {
    match names.iter().find(|name| !keys.have(name)) {
        None => Ok(()),
        Some(name) => Err(refused(format!(
            "there are secrets in this export that are encrypted with the key {name}, which HANDBILL_ENCRYPTION_KEYS does \
             not have; set it to the keys of where the export was made"
        ))),
    }
}
