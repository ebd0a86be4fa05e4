//! Check: the database's own look at itself.

use super::queries;
use super::report::Findings;
use crate::db::DbConnection;
use crate::error::Error;

/// SQLite's file is whole, and every row that is pointed at is there. PostgreSQL looks after both itself.
pub(super) fn are_whole(conn: &mut DbConnection, findings: &mut Findings) -> Result<(), Error> {
    findings.looked_at(1);
    for found in queries::complaints_of_sqlite(conn)? {
        findings.differs(found.about, found.problem);
    }
    Ok(())
}
