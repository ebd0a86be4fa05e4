//! Verb: a customer is called otherwise, so the ambassador behind the link is.

use super::queries;
use crate::ambassadors::edit::edit;
use crate::ambassadors::model::AmbassadorChanges;
use crate::clock::Timestamp;
use crate::customers::model::Customer;
use crate::db::DbConnection;
use crate::error::Error;

/// Gives the customer's ambassador, if there is one, the customer's name and address.
pub fn keep_up(conn: &mut DbConnection, customer: &Customer, now: Timestamp) -> Result<(), Error> {
    let account = &customer.account_id;
    let Some(invitation) = queries::find(conn, account, &customer.id)? else {
        return Ok(());
    };
    let (first_name, last_name) = customer.names();
    let changes = AmbassadorChanges {
        first_name: Some(first_name),
        last_name: Some(last_name),
        email: Some(customer.email.clone()),
        profile_picture: None,
        metadata: None,
    };
    edit(conn, account, &invitation.ambassador_id, &changes, now).map(drop)
}
