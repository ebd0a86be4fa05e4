//! Verb: a commission moves towards the ambassador, or what is noted about it changes.

use super::model::{Earning, EarningChanges, EarningStatus, Origin};
use super::purse::Purse;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId, EarningId, Id, PayoutId};
use crate::metadata::MetadataChange;
use crate::money::unknown_currency;
use crate::payouts;
use crate::referrals;
use crate::status::{forbidden, forestalled};

/// Applies `changes` made with the key `by`. A status moves only as [`EarningStatus::moves`] says, and every
/// move leaves a row in the history and its transfers in the ledger; the same status again, or no change at all,
/// writes nothing. Who moves an earning on by hand ends its hold.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such earning; [`Error::Conflict`] for a move that is not in the
/// table, if a payout of ours has it, if nothing of it is left to pay, or if money changes that was computed, paid or
/// taken back; [`Error::Invalid`] if the metadata outgrows its limit.
pub fn settle(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: &EarningId,
    changes: &EarningChanges,
    now: Timestamp,
) -> Result<Earning, Error> {
    let mut seen = queries::find(conn, account, id)?.ok_or(Error::NotFound(EarningId::NOUN))?;
    if changes.currency.is_some() {
        // Who decides about the referral looks which purses its money is in, and then waits for these.
        referrals::queries::find_to_change(conn, account, &seen.referral_id)?;
        seen = queries::find(conn, account, id)?.ok_or(Error::NotFound(EarningId::NOUN))?;
    }
    let mut purse = Purse::open(conn, &seen.owner(), &seen.currency, Some(by), now)?;
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(EarningId::NOUN))?;
    if before.currency != seen.currency {
        return Err(forestalled("earning"));
    }
    let after = changed(&before, changes)?;
    let moved = changes.status.filter(|status| *status != before.status);
    if let Some(to) = moved {
        must_move(before.status, to)?;
    }
    if after == before && moved.is_none() {
        return Ok(after);
    }
    let corrected = (after.amount, &after.currency) != (before.amount, &before.currency);
    if corrected {
        must_be_correctable(&before)?;
    }
    if (corrected || moved.is_some())
        && let Some(payout) = payouts::queries::find_live_of(conn, account, id)?
    {
        return Err(in_payout(&payout));
    }
    purse.take(before.clone());
    if corrected {
        purse = correct(conn, purse, &before, &after, by, now)?;
    }
    let earning = purse.earning(id)?;
    earning.kind = after.kind;
    earning.description = after.description;
    earning.reference_id = after.reference_id;
    earning.metadata = after.metadata;
    if let Some(to) = moved {
        move_on(conn, &mut purse, &before, to)?;
        purse.step(id, to, changes.note.clone())?;
    }
    let settled = purse.close(conn, None)?;
    let settled = settled.into_iter().find(|earning| earning.id == *id);
    settled.ok_or_else(|| Error::internal("an earning was lost on the way"))
}

/// Everything but the status.
fn changed(before: &Earning, changes: &EarningChanges) -> Result<Earning, Error> {
    let changes = changes.clone();
    let mut after = before.clone();
    after.amount = changes.amount.unwrap_or(after.amount);
    after.currency = changes.currency.unwrap_or(after.currency);
    if after.currency.is_points() && !before.currency.is_points() {
        return Err(Error::field("currency", unknown_currency()));
    }
    after.kind = changes.kind.unwrap_or(after.kind);
    after.description = changes.description.unwrap_or(after.description);
    after.reference_id = changes.reference_id.unwrap_or(after.reference_id);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    Ok(after)
}

fn must_move(from: EarningStatus, to: EarningStatus) -> Result<(), Error> {
    match from.moves().contains(&to) {
        true => Ok(()),
        false => {
            let allowed: Vec<&str> = from.moves().iter().map(|status| status.as_str()).collect();
            Err(forbidden("earning", from.as_str(), to.as_str(), &allowed))
        }
    }
}

fn must_be_correctable(earning: &Earning) -> Result<(), Error> {
    let portions = earning.portions;
    let (code, message) = if earning.status == EarningStatus::Paid {
        (
            "earning_paid",
            "The earning is paid, so its amount and currency cannot change any more",
        )
    } else if earning.conversion_id.is_some()
        || matches!(earning.origin, Origin::Bonus | Origin::Reward)
    {
        (
            "earning_computed",
            "The earning was computed by the program's rules; report a refund of the order, or reject the referral, to take it back",
        )
    } else if portions.reversed + portions.clawed_back + portions.set_off > 0 {
        (
            "earning_reversed",
            "Some of the earning was taken back or set off, so its amount and currency cannot change any more",
        )
    } else {
        return Ok(());
    };
    Err(Error::Conflict {
        code,
        message: message.to_owned(),
    })
}

fn in_payout(payout: &PayoutId) -> Error {
    Error::Conflict {
        code: "earning_in_payout",
        message: format!(
            "The earning is part of {}; settle the payout, and its earnings follow",
            payout.as_str()
        ),
    }
}

/// Takes what was booked back and books the corrected money, to the same place.
fn correct(
    conn: &mut DbConnection,
    mut purse: Purse,
    before: &Earning,
    after: &Earning,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<Purse, Error> {
    let id = &before.id;
    purse.retract(id)?;
    let (kept, mut earning) = purse.give(id)?;
    earning.amount = after.amount;
    earning.currency = after.currency.clone();
    if after.currency != before.currency {
        purse.close(conn, None)?;
        purse = Purse::open(conn, &after.owner(), &after.currency, Some(by), now)?;
    }
    purse.accept((kept, earning));
    purse.earn_again(id)?;
    if before.portions.held == 0 {
        purse.release(id)?;
    }
    if before.portions.in_payout > 0 {
        purse.start_payout(id, None)?;
    }
    Ok(purse)
}

/// Books what a move by hand means.
fn move_on(
    conn: &mut DbConnection,
    purse: &mut Purse,
    before: &Earning,
    to: EarningStatus,
) -> Result<(), Error> {
    let id = &before.id;
    match (before.status, to) {
        (EarningStatus::Processing, EarningStatus::Paid) => purse.finish_payout(id, None),
        (EarningStatus::Processing, _) => purse.end_payout(id, None),
        (_, to) => {
            purse.release(id)?;
            // What is owed back comes first.
            purse.settle_debts(conn)?;
            let left = purse.start_payout(id, None)?;
            match to {
                EarningStatus::Paid => purse.finish_payout(id, None),
                _ if left == 0 => Err(Error::Conflict {
                    code: "nothing_to_pay",
                    message: "Nothing of the earning is left to pay: it was taken back, or set off against what is owed back"
                        .to_owned(),
                }),
                _ => Ok(()),
            }
        }
    }
}
