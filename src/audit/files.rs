//! Check: the database's own look at itself.

use super::report::Findings;
use super::whole_queries;
use crate::db::DbConnection;
use crate::error::Error;

/// SQLite's file is whole, and every row that a foreign key points at is there. PostgreSQL looks after both itself.
pub(super) fn are_whole(conn: &mut DbConnection, findings: &mut Findings) -> Result<(), Error> {
    findings.looked_at(1);
    for found in whole_queries::complaints_of_sqlite(conn)? {
        findings.differs(found.about, found.problem);
    }
    Ok(())
}
