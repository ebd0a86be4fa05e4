//! Every statement about `replies`.

use diesel::prelude::*;

use super::model::{Repeatable, Reply};
use crate::clock::Timestamp;
use crate::db::schema::replies;
use crate::db::{DbConnection, on_each_database};
use crate::ids::AccountId;
use crate::text::IdempotencyKey;

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

/// The account's next replies behind the one to this operation under this key.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<&(String, IdempotencyKey)>,
    limit: i64,
) -> QueryResult<Vec<Reply>> {
    let mut query = Reply::query()
        .filter(replies::account_id.eq(account))
        .order((replies::operation, replies::key))
        .limit(limit)
        .into_boxed();
    if let Some((operation, key)) = after {
        let is_behind = replies::operation
            .gt(operation)
            .or(replies::operation.eq(operation).and(replies::key.gt(key)));
        query = query.filter(is_behind);
    }
    query.load(conn)
}

/// Stores what a reply has become.
pub fn replace(conn: &mut DbConnection, reply: &Reply) -> QueryResult<()> {
    let kept = replies::table.find((&reply.account_id, &reply.operation, &reply.key));
    diesel::update(kept)
        .set((
            replies::body.eq(&reply.body),
            replies::fingerprint.eq(&reply.fingerprint),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets a reply.
pub fn delete(conn: &mut DbConnection, reply: &Reply) -> QueryResult<()> {
    let kept = replies::table.find((&reply.account_id, &reply.operation, &reply.key));
    diesel::delete(kept).execute(conn)?;
    Ok(())
}
