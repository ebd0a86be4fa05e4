//! Every statement about `invitations`.

use diesel::prelude::*;

use super::model::Invitation;
use crate::db::DbConnection;
use crate::db::schema::invitations;
use crate::ids::{AccountId, AmbassadorId, CustomerId};

/// What this customer of the account has.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    customer: &CustomerId,
) -> QueryResult<Option<Invitation>> {
    Invitation::query()
        .find((account, customer))
        .first(conn)
        .optional()
}

/// The invitations behind these ambassadors.
pub fn find_by_ambassadors(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassadors: Vec<AmbassadorId>,
) -> QueryResult<Vec<Invitation>> {
    Invitation::query()
        .filter(invitations::account_id.eq(account))
        .filter(invitations::ambassador_id.eq_any(ambassadors))
        .load(conn)
}

/// Stores a new one. The customer must be held.
pub fn insert(conn: &mut DbConnection, invitation: &Invitation) -> QueryResult<()> {
    diesel::insert_into(invitations::table)
        .values(invitation)
        .execute(conn)?;
    Ok(())
}
