//! Verb: what was answered about somebody says nothing personal any more, and their keys go on making nothing new.

use super::queries;
use crate::db::DbConnection;
use crate::encryption::EncryptionKeys;
use crate::error::Error;
use crate::idempotency::ERASED;
use crate::ids::AccountId;

/// How many replies are looked at together.
const STEP: i64 = 500;

/// Empties those of the account's replies that name one of these ids, each as `emptied` empties an object. They and all refusals
/// fit every request from now on, because what a request is compared with is about a person too. A reply that cannot be opened
/// (its key is not here) is forgotten.
///
/// # Errors
/// The database's.
pub fn empty(
    conn: &mut DbConnection,
    account: &AccountId,
    ids: &[&str],
    keys: &EncryptionKeys,
    emptied: fn(&str) -> String,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let replies = queries::list(conn, account, after.as_ref(), STEP)?;
        let Some(last) = replies.last() else {
            return Ok(());
        };
        after = Some((last.operation.clone(), last.key.clone()));
        for mut reply in replies {
            let Ok(said) = reply.said(keys) else {
                queries::delete(conn, &reply)?;
                continue;
            };
            let is_about_them = ids.iter().any(|id| said.body.contains(id));
            if is_about_them {
                reply.body = keys.seal(&emptied(&said.body), &account.text())?;
            }
            if is_about_them || said.status >= 400 {
                ERASED.clone_into(&mut reply.fingerprint);
                queries::replace(conn, &reply)?;
            }
        }
    }
}
