//! Verb: a commission moves towards the ambassador, or what is noted about it changes.

use super::model::{Earning, EarningChanges, EarningMove, EarningStatus};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId, EarningId, Id};
use crate::metadata::MetadataChange;
use crate::status::{forbidden, forestalled};

/// Applies `changes` made with the key `by`. A status moves only as [`EarningStatus::moves`] says, and every
/// move leaves a row in the history; the same status again, or no change at all, writes nothing.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such earning; [`Error::Conflict`] for a move that is not in the
/// table, or if money changes that has been paid; [`Error::Invalid`] if the metadata outgrows its limit.
pub fn settle(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: &EarningId,
    changes: &EarningChanges,
    now: Timestamp,
) -> Result<Earning, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(EarningId::NOUN))?;
    let mut after = changed(&before, changes)?;
    let moved = changes.status.filter(|status| *status != before.status);
    if let Some(to) = moved {
        step(&mut after, to, now)?;
    }
    if after == before {
        return Ok(after);
    }
    let money = |earning: &Earning| (earning.amount, earning.currency.clone());
    if before.status == EarningStatus::Paid && money(&after) != money(&before) {
        return Err(Error::Conflict {
            code: "earning_paid",
            message: "The earning is paid, so its amount and currency cannot change any more"
                .to_owned(),
        });
    }
    after.updated_at = now;
    if !queries::advance(conn, &after, before.status)? {
        return Err(forestalled("earning"));
    }
    if moved.is_some() {
        note_down(conn, &after, before.status, by, changes)?;
    }
    Ok(after)
}

/// Everything but the status.
fn changed(before: &Earning, changes: &EarningChanges) -> Result<Earning, Error> {
    let changes = changes.clone();
    let mut after = before.clone();
    after.amount = changes.amount.unwrap_or(after.amount);
    after.currency = changes.currency.unwrap_or(after.currency);
    after.kind = changes.kind.unwrap_or(after.kind);
    after.description = changes.description.unwrap_or(after.description);
    after.reference_id = changes.reference_id.unwrap_or(after.reference_id);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    Ok(after)
}

fn step(earning: &mut Earning, to: EarningStatus, now: Timestamp) -> Result<(), Error> {
    let from = earning.status;
    if !from.moves().contains(&to) {
        let allowed: Vec<&str> = from.moves().iter().map(|status| status.as_str()).collect();
        return Err(forbidden("earning", from.as_str(), to.as_str(), &allowed));
    }
    earning.status = to;
    earning.paid_at = (to == EarningStatus::Paid).then_some(now);
    Ok(())
}

fn note_down(
    conn: &mut DbConnection,
    earning: &Earning,
    from: EarningStatus,
    by: &ApiKeyId,
    changes: &EarningChanges,
) -> Result<(), Error> {
    let before = queries::count_moves(conn, &earning.account_id, &earning.id)?;
    let step = EarningMove {
        account_id: earning.account_id.clone(),
        earning_id: earning.id.clone(),
        position: before + 1,
        from_status: from,
        to_status: earning.status,
        moved_at: earning.updated_at,
        moved_by: by.clone(),
        note: changes.note.clone(),
    };
    Ok(queries::insert_move(conn, &step)?)
}
