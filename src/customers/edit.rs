//! Verb: what is known about a customer changes.

use super::create::{taken, tell};
use super::model::{Customer, CustomerChanges};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::model::EventKind;
use crate::ids::{AccountId, CustomerId, Id};
use crate::metadata::MetadataChange;

/// Applies `changes`; if they change nothing, nothing is written.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such customer; [`Error::Conflict`] if another one has the address or the
/// company's name; [`Error::Invalid`] if the metadata outgrows its limit.
pub fn edit(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &CustomerId,
    changes: &CustomerChanges,
    now: Timestamp,
) -> Result<Customer, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(CustomerId::NOUN))?;
    let changes = changes.clone();
    let mut after = before.clone();
    // An erased person is looked up by nothing: what is sent back as it was read does not change that.
    if let Some(email) = changes.email.filter(|email| *email != before.email) {
        after.email_folded = email.folded();
        after.email = email;
    }
    after.name = changes.name.unwrap_or(after.name);
    after.phone = changes.phone.unwrap_or(after.phone);
    after.external_id = changes.external_id.unwrap_or(after.external_id);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    if after == before {
        return Ok(after);
    }
    must_be_free(conn, &before, &after)?;
    after.updated_at = now;
    if !queries::update(conn, &after)? {
        // Somebody took it between the look and the write; who that is cannot be asked in this transaction.
        let code = match after.email_folded == before.email_folded {
            true => "external_id_taken",
            false => "email_taken",
        };
        return Err(Error::Conflict {
            code,
            message: "Another customer was given this at the same moment; nothing was changed"
                .to_owned(),
        });
    }
    tell(
        conn,
        EventKind::CustomerUpdated,
        std::slice::from_ref(&after),
        now,
    )?;
    Ok(after)
}

fn must_be_free(conn: &mut DbConnection, before: &Customer, after: &Customer) -> Result<(), Error> {
    let account = &after.account_id;
    let mut others = Vec::new();
    if after.email_folded != before.email_folded {
        others.extend(queries::find_by_emails(
            conn,
            account,
            vec![after.email_folded.clone()],
        )?);
    }
    if let Some(id) = after
        .external_id
        .as_ref()
        .filter(|id| Some(*id) != before.external_id.as_ref())
    {
        others.extend(queries::find_by_external_ids(
            conn,
            account,
            vec![id.clone()],
        )?);
    }
    match others.is_empty() {
        true => Ok(()),
        false => {
            let email = match after.email_folded == before.email_folded {
                true => None,
                false => Some(&after.email),
            };
            Err(taken(conn, account, email, after.external_id.as_ref())?)
        }
    }
}
