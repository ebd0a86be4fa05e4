//! Every statement about `commission_rules`. There is none that changes or deletes a row, and the databases refuse them.

use diesel::prelude::*;

use super::model::RuleVersion;
use crate::db::DbConnection;
use crate::db::page::{Order, Page};
use crate::db::schema::commission_rules;
use crate::ids::{AccountId, ProgramId};

/// The rule that the program pays by now.
pub fn find_current(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
) -> QueryResult<Option<RuleVersion>> {
    RuleVersion::query()
        .filter(commission_rules::account_id.eq(account))
        .filter(commission_rules::program_id.eq(program))
        .order(commission_rules::version.desc())
        .first(conn)
        .optional()
}

/// One version of the program's rule.
pub fn find(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
    version: i64,
) -> QueryResult<Option<RuleVersion>> {
    RuleVersion::query()
        .find((account, program, version))
        .first(conn)
        .optional()
}

/// A page of the program's versions. Their cursor is the version.
pub fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
    page: &Page,
) -> QueryResult<Vec<RuleVersion>> {
    let query = RuleVersion::query()
        .filter(commission_rules::account_id.eq(account))
        .filter(commission_rules::program_id.eq(program))
        .limit(page.limit + 1)
        .offset(page.offset)
        .into_boxed();
    let after = page
        .after
        .as_ref()
        .and_then(|after| after.parse::<i64>().ok());
    let version = commission_rules::version;
    let query = match (page.order, after) {
        (Order::Asc, None) => query.order(version.asc()),
        (Order::Asc, Some(after)) => query.order(version.asc()).filter(version.gt(after)),
        (Order::Desc, None) => query.order(version.desc()),
        (Order::Desc, Some(after)) => query.order(version.desc()).filter(version.lt(after)),
    };
    query.load(conn)
}

/// Stores a new version. The program must be held: its number is one more than the last.
pub fn insert(conn: &mut DbConnection, rule: &RuleVersion) -> QueryResult<()> {
    diesel::insert_into(commission_rules::table)
        .values(rule.clone())
        .execute(conn)?;
    Ok(())
}
