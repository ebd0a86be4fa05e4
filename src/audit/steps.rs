//! A table is gone through a stretch at a time, so that it is never in memory as a whole.

use super::queries::{self, Found};
use super::report::Findings;
use crate::db::{DbConnection, QueryResult};
use crate::error::Error;
use crate::ids::AccountId;

/// What is gone through: a table, by a text in it that sorts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    /// The table.
    pub(super) table: &'static str,
    /// The column.
    pub(super) key: &'static str,
    /// How many rows a stretch has, or a few more if several share the last key.
    pub(super) rows: i64,
}

impl Walk {
    /// Through a noun, by its ids.
    pub(super) const fn through(table: &'static str) -> Self {
        Self {
            table,
            key: "id",
            rows: 500,
        }
    }

    /// The same in long steps, for many small rows of which hardly any is told.
    pub(super) const fn far_through(table: &'static str) -> Self {
        Self {
            rows: 50_000,
            ..Self::through(table)
        }
    }
}

/// The keys behind `after` up to and with `until`. Stretches leave no gap between them, so that what belongs to no
/// row of the table that is gone through is in one of them too.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) after: String,
    pub(super) until: String,
}

/// Sorts behind every id.
const END: &str = "~";

/// Does something with every stretch.
pub(super) fn each(
    conn: &mut DbConnection,
    account: &AccountId,
    walk: Walk,
    findings: &mut Findings,
    mut look: impl FnMut(&mut DbConnection, &Stretch, &mut Findings) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let next = queries::last_of_stretch(conn, account, walk, &after)?;
        let is_last = next.is_none();
        let stretch = Stretch {
            after,
            until: next.unwrap_or_else(|| END.to_owned()),
        };
        if !is_last {
            findings.looked_at(queries::count_stretch(conn, account, walk, &stretch)?);
        }
        look(conn, &stretch, findings)?;
        if is_last {
            return Ok(());
        }
        after = stretch.until;
    }
}

/// Lists differences in every stretch.
pub(super) fn list(
    conn: &mut DbConnection,
    account: &AccountId,
    walk: Walk,
    findings: &mut Findings,
    differences: impl Fn(&mut DbConnection, &AccountId, &Stretch) -> QueryResult<Vec<Found>>,
) -> Result<(), Error> {
    each(conn, account, walk, findings, |conn, stretch, findings| {
        for found in differences(conn, account, stretch)? {
            findings.differs(found.about, found.problem);
        }
        Ok(())
    })
}
