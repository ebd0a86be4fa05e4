//! Verb: what becomes of a signup is decided, or what is known about the person changes.

use super::model::{Referral, ReferralChanges, ReferralMove, ReferralStatus};
use super::queries;
use super::view::ReferralView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::earnings::{bonus, release, reverse};
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{AccountId, ApiKeyId, Id, ReferralId};
use crate::impressions;
use crate::introductions::judge::judge_again;
use crate::metadata::MetadataChange;
use crate::stats::tally;
use crate::status::{forbidden, forestalled};
use crate::text::Paragraph;

/// Applies `changes` made with the key `by`. A status moves only as [`ReferralStatus::moves`] says, and every
/// move leaves a row in the history; the same status again, or no change at all, writes nothing.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such referral; [`Error::Conflict`] for a move that is not in the
/// table; [`Error::Invalid`] if the metadata outgrows its limit.
pub fn decide(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: &ReferralId,
    changes: &ReferralChanges,
    now: Timestamp,
) -> Result<Referral, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(ReferralId::NOUN))?;
    let mut after = changed(&before, changes)?;
    let moved = changes.status.filter(|status| *status != before.status);
    if let Some(to) = moved {
        step(&mut after, to, changes.verified_at, now)?;
    }
    if after == before {
        return Ok(after);
    }
    after.updated_at = now;
    if !queries::advance(conn, &after, before.status)? {
        return Err(forestalled("referral"));
    }
    tell(conn, &after, before.status, now)?;
    if moved.is_some() {
        note_down(conn, &after, before.status, by, changes.note.clone())?;
        follow_the_money(conn, &after, before.status, by, now)?;
        let impression = impressions::queries::find(conn, account, &after.impression_id)?
            .ok_or_else(|| Error::internal("a referral's impression is gone"))?;
        tally::moved(conn, &after, &impression, before.status)?;
    }
    Ok(after)
}

fn tell(
    conn: &mut DbConnection,
    referral: &Referral,
    from: ReferralStatus,
    now: Timestamp,
) -> Result<(), Error> {
    let kind = match (from, referral.status) {
        (from, to) if from == to => EventKind::ReferralUpdated,
        (_, ReferralStatus::Pending) => EventKind::ReferralReopened,
        (_, ReferralStatus::Converted) => EventKind::ReferralConverted,
        (_, ReferralStatus::Verified) => EventKind::ReferralVerified,
        (_, ReferralStatus::Rejected) => EventKind::ReferralRejected,
    };
    let view = ReferralView::from(referral.clone());
    let event = Event::new(&referral.account_id, kind, referral.id.as_str(), &view, now)?;
    let event = match kind {
        EventKind::ReferralUpdated => event,
        _ => event.after(from.as_str()),
    };
    emit(conn, vec![event])
}

/// What a move means for what was earned.
fn follow_the_money(
    conn: &mut DbConnection,
    referral: &Referral,
    from: ReferralStatus,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    match (from, referral.status) {
        (_, ReferralStatus::Rejected) => reverse::rejected(conn, referral, by, now),
        (ReferralStatus::Rejected, _) => {
            reverse::reinstated(conn, referral, by, now)?;
            judge_again(conn, referral, by, now)
        }
        (_, ReferralStatus::Verified) => {
            release::verified(conn, referral, by, now)?;
            bonus::bonus(conn, referral, by, now)
        }
        (ReferralStatus::Verified, _) => release::unverified(conn, referral, by, now),
        _ => Ok(()),
    }
}

/// Everything but the status.
fn changed(before: &Referral, changes: &ReferralChanges) -> Result<Referral, Error> {
    let changes = changes.clone();
    let mut after = before.clone();
    after.first_name = changes.first_name.unwrap_or(after.first_name);
    after.last_name = changes.last_name.unwrap_or(after.last_name);
    // An erased person is looked up by nothing: what is sent back as it was read does not change that.
    if let Some(email) = changes.email.filter(|email| *email != before.email) {
        after.email_folded = email.folded();
        after.email = email;
    }
    after.external_id = changes.external_id.unwrap_or(after.external_id);
    after.profile_picture = changes.profile_picture.unwrap_or(after.profile_picture);
    // What was read and is sent back has lost its fraction of a second; that is no change.
    let said = changes.verified_at.filter(|said| {
        let kept = before.verified_at;
        !kept.is_some_and(|kept| kept.looks_like(*said))
    });
    after.verified_at = said.or(after.verified_at);
    after.metadata = MetadataChange::apply(changes.metadata.as_ref(), &before.metadata)?;
    Ok(after)
}

fn step(
    referral: &mut Referral,
    to: ReferralStatus,
    verified_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    let from = referral.status;
    if !from.moves().contains(&to) {
        let allowed: Vec<&str> = from.moves().iter().map(|status| status.as_str()).collect();
        return Err(forbidden("referral", from.as_str(), to.as_str(), &allowed));
    }
    referral.status = to;
    referral.verified_at = match (from, to) {
        // A moment that the caller gave beforehand is the caller's too.
        (ReferralStatus::Pending, ReferralStatus::Verified) => referral.verified_at.or(Some(now)),
        (_, ReferralStatus::Verified) => verified_at.or(Some(now)),
        (ReferralStatus::Rejected, _) => verified_at,
        _ => referral.verified_at,
    };
    Ok(())
}

fn note_down(
    conn: &mut DbConnection,
    referral: &Referral,
    from: ReferralStatus,
    by: &ApiKeyId,
    note: Option<Paragraph>,
) -> Result<(), Error> {
    let before = queries::count_moves(conn, &referral.account_id, &referral.id)?;
    let step = ReferralMove {
        account_id: referral.account_id,
        referral_id: referral.id.clone(),
        position: before + 1,
        from_status: from,
        to_status: referral.status,
        moved_at: referral.updated_at,
        moved_by: by.clone(),
        note,
    };
    Ok(queries::insert_move(conn, &step)?)
}
