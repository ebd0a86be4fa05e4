//! Every statement about `replies`.

use diesel::prelude::*;

use super::model::{Repeatable, Reply};
use crate::clock::Timestamp;
use crate::db::schema::replies;
use crate::db::{DbConnection, on_each_database};
use crate::ids::AccountId;

/// What was answered to this request before, or to another under its key.
pub fn find(conn: &mut DbConnection, request: &Repeatable) -> QueryResult<Option<Reply>> {
    Reply::query()
        .find((&request.account_id, request.operation, &request.key))
        .first(conn)
        .optional()
}

/// Stores a reply, if there is none.
pub fn insert_if_new(conn: &mut DbConnection, reply: &Reply) -> QueryResult<()> {
    on_each_database!(conn, |c| diesel::insert_into(replies::table)
        .values(reply)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Forgets the account's replies from before `before`.
pub fn forget(conn: &mut DbConnection, account: &AccountId, before: Timestamp) -> QueryResult<()> {
    let old = replies::table
        .filter(replies::account_id.eq(account))
        .filter(replies::created_at.lt(before));
    diesel::delete(old).execute(conn)?;
    Ok(())
}

/// Forgets all of the account's replies.
pub fn forget_all(conn: &mut DbConnection, account: &AccountId) -> QueryResult<()> {
    diesel::delete(replies::table.filter(replies::account_id.eq(account))).execute(conn)?;
    Ok(())
}
