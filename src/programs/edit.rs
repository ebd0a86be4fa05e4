//! Verb: a program's promises change.

use super::model::{Program, ProgramChanges};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, Id, ProgramId};

/// Applies `changes`; if they change nothing, nothing is written.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such program.
pub fn edit(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ProgramId,
    changes: &ProgramChanges,
    now: Timestamp,
) -> Result<Program, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(ProgramId::NOUN))?;
    let changes = changes.clone();
    let mut after = before.clone();
    after.name = changes.name.unwrap_or(after.name);
    after.description = changes.description.unwrap_or(after.description);
    after.landing_url = changes.landing_url.unwrap_or(after.landing_url);
    after.commission_basis_points = changes.commission.unwrap_or(after.commission_basis_points);
    after.payout_schedule = changes.payout_schedule.unwrap_or(after.payout_schedule);
    after.minimum_payout = changes.minimum_payout.unwrap_or(after.minimum_payout);
    after.payout_currency = changes.payout_currency.unwrap_or(after.payout_currency);
    after.status = changes.status.unwrap_or(after.status);
    if after != before {
        after.updated_at = now;
        queries::update(conn, &after)?;
    }
    Ok(after)
}
