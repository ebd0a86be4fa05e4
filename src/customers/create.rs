//! Verb: the company says who a customer is.

use super::model::{Customer, NewCustomer};
use super::queries;
use super::view::CustomerView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Recorded, once};
use crate::ids::AccountId;
use crate::text::{EmailAddress, ExternalId};

/// Makes a customer, or finds the one that the same key made before.
///
/// # Errors
/// [`Error::Conflict`] if another customer has the address or the company's name, or if the key made another customer.
pub fn create(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewCustomer,
    now: Timestamp,
) -> Result<Recorded<Customer>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            let customer = new.customer(account, now);
            if queries::insert_new(conn, std::slice::from_ref(&customer))? == 1 {
                tell(
                    conn,
                    EventKind::CustomerCreated,
                    std::slice::from_ref(&customer),
                    now,
                )?;
                return Ok(Some(customer));
            }
            let twin = match &new.retry {
                None => None,
                Some(retry) => queries::find_by_key(conn, account, &retry.key)?,
            };
            match twin {
                Some(_) => Ok(None),
                None => Err(taken(
                    conn,
                    account,
                    Some(&new.email),
                    new.external_id.as_ref(),
                )?),
            }
        },
    )
}

/// Which customer has it.
pub(super) fn taken(
    conn: &mut DbConnection,
    account: &AccountId,
    email: Option<&EmailAddress>,
    external_id: Option<&ExternalId>,
) -> Result<Error, Error> {
    let folded = email.map(EmailAddress::folded).into_iter().collect();
    let mut others = queries::find_by_emails(conn, account, folded)?;
    let (code, what) = match (others.is_empty(), external_id) {
        (true, Some(id)) => {
            others = queries::find_by_external_ids(conn, account, vec![id.clone()])?;
            ("external_id_taken", "external_id")
        }
        _ => ("email_taken", "e-mail address"),
    };
    let other = others
        .first()
        .map_or("Another customer", |other| other.id.as_str());
    let message = format!("{other} has this {what} already; nothing was changed");
    Ok(Error::Conflict { code, message })
}

/// Writes down what became of customers.
pub(super) fn tell(
    conn: &mut DbConnection,
    kind: EventKind,
    customers: &[Customer],
    now: Timestamp,
) -> Result<(), Error> {
    let events = customers.iter().map(|customer| {
        let view = CustomerView::from(customer.clone());
        Event::new(&customer.account_id, kind, customer.id.as_str(), &view, now)
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    emit(conn, events)
}
