//! Every statement about `acts`.

use diesel::prelude::*;

use super::model::{Act, ActFilter};
use crate::db::DbConnection;
use crate::db::page::{Order, Page, paged, wanted};
use crate::db::schema::acts;
use crate::ids::AccountId;

/// Adds an act.
pub fn insert(conn: &mut DbConnection, act: &Act) -> QueryResult<()> {
    diesel::insert_into(acts::table).values(act).execute(conn)?;
    Ok(())
}

/// A page of the account's acts.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &ActFilter,
    page: &Page,
) -> QueryResult<Vec<Act>> {
    let mut query = Act::query()
        .filter(acts::account_id.eq(account))
        .into_boxed();
    wanted!(query, acts::acted_by, filter.acted_by);
    wanted!(query, acts::object_id, filter.object_id);
    if let Some(action) = filter.action {
        query = query.filter(acts::action.eq(action));
    }
    if let Some(from) = filter.from {
        query = query.filter(acts::created_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(acts::created_at.lt(to));
    }
    paged!(query, acts::id, page).load(conn)
}
