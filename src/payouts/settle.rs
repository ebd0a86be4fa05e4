//! Verb: a payout arrived, failed or was cancelled, or what is noted about it changes.

use super::model::{Payout, PayoutChanges, PayoutMove, PayoutStatus};
use super::queries;
use super::view::PayoutView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::earnings;
use crate::earnings::model::EarningStatus;
use crate::earnings::purse::Purse;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{AccountId, ApiKeyId, Id, PayoutId};
use crate::metadata::MetadataChange;
use crate::status::{forbidden, forestalled};
use crate::text::Line;

/// Applies `changes` made with the key `by`. A status moves only as [`PayoutStatus::moves`] says; every move books its
/// transfers, moves the status of the earnings in the payout and leaves a row in the histories. The same status again,
/// or no change at all, writes nothing.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such payout; [`Error::Conflict`] for a move that is not in the table;
/// [`Error::Invalid`] if the metadata outgrows its limit.
pub fn settle(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: &PayoutId,
    changes: &PayoutChanges,
    now: Timestamp,
) -> Result<Payout, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(PayoutId::NOUN))?;
    let mut after = before.clone();
    after.reference_id = changes.reference_id.clone().unwrap_or(after.reference_id);
    after.failure_reason = changes
        .failure_reason
        .clone()
        .unwrap_or(after.failure_reason);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    let moved = changes.status.filter(|status| *status != before.status);
    if let Some(to) = moved {
        let from = before.status;
        if !from.moves().contains(&to) {
            let allowed: Vec<&str> = from.moves().iter().map(|status| status.as_str()).collect();
            return Err(forbidden("payout", from.as_str(), to.as_str(), &allowed));
        }
        after.status = to;
        after.paid_at = (to == PayoutStatus::Paid).then_some(now);
    }
    if after == before {
        return Ok(after);
    }
    after.updated_at = now;
    if !queries::advance(conn, &after, before.status)? {
        return Err(forestalled("payout"));
    }
    if moved.is_some() {
        tell(conn, &before, &after)?;
        follow_the_money(conn, &after, by, changes, now)?;
        note_down(conn, &before, &after, by, changes)?;
    }
    Ok(after)
}

fn tell(conn: &mut DbConnection, before: &Payout, after: &Payout) -> Result<(), Error> {
    let kind = match after.status {
        PayoutStatus::Processing => return Ok(()),
        PayoutStatus::Paid => EventKind::PayoutPaid,
        PayoutStatus::Failed => EventKind::PayoutFailed,
        PayoutStatus::Cancelled => EventKind::PayoutCancelled,
    };
    let (account, id) = (&after.account_id, after.id.as_str());
    let view = PayoutView::from(after.clone());
    let event = Event::new(account, kind, id, &view, after.updated_at)?;
    emit(conn, vec![event.after(before.status.as_str())])
}

fn follow_the_money(
    conn: &mut DbConnection,
    payout: &Payout,
    by: &ApiKeyId,
    changes: &PayoutChanges,
    now: Timestamp,
) -> Result<(), Error> {
    let mut purse = Purse::open(conn, &payout.owner(), &payout.currency, Some(by), now)?;
    let occasion = Line::cut(payout.id.as_str());
    for item in queries::list_items(conn, &payout.account_id, &payout.id)? {
        let earning = earnings::queries::find(conn, &payout.account_id, &item.earning_id)?
            .ok_or_else(|| Error::internal("a payout's earning is gone"))?;
        let id = earning.id.clone();
        purse.take(earning);
        let to = match payout.status {
            PayoutStatus::Paid => {
                purse.finish_payout(&id, Some(&occasion))?;
                // A payout without a reference leaves what the earning says.
                if payout.reference_id.is_some() {
                    let earning = purse.earning(&id)?;
                    earning.reference_id.clone_from(&payout.reference_id);
                }
                EarningStatus::Paid
            }
            _ => {
                purse.end_payout(&id, Some(&occasion))?;
                EarningStatus::Failed
            }
        };
        purse.step(&id, to, changes.note.clone())?;
    }
    if payout.status != PayoutStatus::Paid {
        queries::free_items(conn, payout)?;
    }
    purse.close(conn, None)?;
    Ok(())
}

fn note_down(
    conn: &mut DbConnection,
    before: &Payout,
    after: &Payout,
    by: &ApiKeyId,
    changes: &PayoutChanges,
) -> Result<(), Error> {
    let step = PayoutMove {
        account_id: after.account_id,
        payout_id: after.id.clone(),
        position: queries::count_moves(conn, after)? + 1,
        from_status: before.status,
        to_status: after.status,
        moved_at: after.updated_at,
        moved_by: by.clone(),
        note: changes.note.clone(),
    };
    Ok(queries::insert_move(conn, &step)?)
}
