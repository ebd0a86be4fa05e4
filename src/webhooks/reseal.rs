//! Verb: the secrets of all endpoints are kept as the settings say now.

use super::model::Endpoint;
use super::queries;
use super::secret::KeptSecret;
use crate::db::DbConnection;
use crate::encryption::EncryptionKeys;
use crate::error::Error;

/// Opens every secret, and encrypts anew those that are not encrypted, or not with the first of `keys`. How many
/// endpoints that changed. Above accounts: it is for the start of a process.
///
/// # Errors
/// A secret is encrypted with a key that is not among `keys`: nothing is changed.
pub fn reseal(conn: &mut DbConnection, keys: &EncryptionKeys) -> Result<usize, Error> {
    let mut changed = 0;
    for found in queries::list_all(conn)? {
        if is_current(&found, keys)? {
            continue;
        }
        // As it is now, and held: it may have been rotated in the meantime.
        let Some(mut endpoint) = queries::find_to_change(conn, &found.account_id, &found.id)?
        else {
            continue;
        };
        let anew = |kept: &KeptSecret| {
            KeptSecret::seal(
                &kept.open(keys, &found.account_id)?,
                keys,
                &found.account_id,
            )
        };
        endpoint.secret = anew(&endpoint.secret)?;
        endpoint.old_secret = endpoint.old_secret.as_ref().map(anew).transpose()?;
        queries::update(conn, &endpoint)?;
        changed += 1;
    }
    Ok(changed)
}

fn is_current(endpoint: &Endpoint, keys: &EncryptionKeys) -> Result<bool, Error> {
    let mut is_current = true;
    for kept in [&endpoint.secret].into_iter().chain(&endpoint.old_secret) {
        kept.open(keys, &endpoint.account_id)?;
        is_current &= keys.is_current(kept.as_str());
    }
    Ok(is_current)
}
