//! Verb: signups happened.

use std::collections::HashMap;

use super::model::{NewReferral, Referral, ReferralStatus};
use super::queries;
use super::view::ReferralView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::together::Timed;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Recorded, Retry, replay};
use crate::ids::{AccountId, Id, ImpressionId, ReferralId};
use crate::impressions;
use crate::impressions::model::Impression;
use crate::introductions::introduce::introduce;
use crate::stats::tally::{signed_up, tally};
use crate::text::IdempotencyKey;

/// Somebody signed up.
#[derive(Debug)]
pub struct Signup {
    /// In whose account.
    pub account_id: AccountId,
    /// Its id, if that is not to be made of the moment.
    pub id: Option<ReferralId>,
    /// What is known.
    pub new: NewReferral,
}

/// What became of a signup.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such impression; [`Error::Conflict`] if the key recorded another
/// person or another impression.
pub type Outcome = Result<Recorded<Referral>, Error>;

/// Records signups; for each, finds the one that the same key recorded before, if there is one. Of any number of
/// simultaneous requests with one key, one makes the referral and the others get it.
pub fn record(conn: &mut DbConnection, signups: &[Timed<Signup>]) -> Result<Vec<Outcome>, Error> {
    let impressions = impressions_of(conn, signups)?;
    let impressions: Found = impressions
        .iter()
        .map(|row| ((&row.account_id, &row.id), row))
        .collect();
    let made = signups.iter().map(|signup| {
        let new = &signup.item;
        let impression = impressions.get(&(&new.account_id, &new.new.impression_id))?;
        let id = new.id.clone();
        let id = id.unwrap_or_else(|| ReferralId::new(signup.at));
        Some(referral(id, &new.new, impression, signup.at))
    });
    let made: Vec<Option<Referral>> = made.collect();
    // Nearly every signup is a new one, so the table is told about all, and its index of keys finds the others.
    let is_new = store(conn, &made, &impressions)?;
    let mut earlier = match is_new.contains(&false) {
        true => replays(conn, signups, |place| !is_new[place])?,
        false => Vec::new(),
    }
    .into_iter();
    let refused = |made: &Option<Referral>| match made {
        Some(_) => Err(Error::internal("what was there a moment ago is gone")),
        None => Err(Error::no_such("impression_id", ImpressionId::NOUN)),
    };
    let outcomes = made.into_iter().zip(is_new).map(|(made, is_new)| {
        let earlier = earlier.next().flatten();
        match made {
            Some(new) if is_new => Ok(Recorded::New(new)),
            made => earlier.unwrap_or_else(|| refused(&made)),
        }
    });
    Ok(outcomes.collect())
}

/// Stores those whose keys are not taken, and what follows from them. Which were stored.
fn store(
    conn: &mut DbConnection,
    made: &[Option<Referral>],
    impressions: &Found,
) -> Result<Vec<bool>, Error> {
    let rows: Vec<&Referral> = made.iter().flatten().collect();
    let mut is_new = queries::insert_new(conn, &rows)?.into_iter();
    let is_new: Vec<bool> = made
        .iter()
        .map(|made| made.is_some() && is_new.next().unwrap_or_default())
        .collect();
    let stored = made.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
    let stored: Vec<&Referral> = stored.filter_map(|(made, _)| made.as_ref()).collect();
    tell(conn, &stored)?;
    introduce(conn, &stored)?;
    let counts = stored.iter().filter_map(|referral| {
        let impression = impressions.get(&(&referral.account_id, &referral.impression_id))?;
        Some(signed_up(referral, impression))
    });
    tally(conn, counts)?;
    Ok(is_new)
}

fn tell(conn: &mut DbConnection, stored: &[&Referral]) -> Result<(), Error> {
    let events = stored.iter().map(|referral| {
        let view = ReferralView::from((*referral).clone());
        let (account, id) = (&referral.account_id, referral.id.as_str());
        Event::new(
            account,
            EventKind::ReferralCreated,
            id,
            &view,
            referral.created_at,
        )
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    emit(conn, events)
}

/// For each signup among those `asked` for whose key made a referral before: that referral, or the complaint.
fn replays(
    conn: &mut DbConnection,
    signups: &[Timed<Signup>],
    asked: impl Fn(usize) -> bool,
) -> Result<Vec<Option<Outcome>>, Error> {
    let retries = || {
        let all = signups.iter().enumerate();
        all.filter_map(|(place, signup)| {
            let retry = signup.item.new.retry.as_ref().filter(|_| asked(place))?;
            Some((place, &signup.item.account_id, retry))
        })
    };
    let keys: Vec<_> = retries()
        .map(|(_, account, retry)| (account, &retry.key))
        .collect();
    let known = queries::find_by_keys(conn, &keys)?;
    let known: HashMap<(&AccountId, Option<&IdempotencyKey>), &Referral> = known
        .iter()
        .map(|row| ((&row.account_id, row.idempotency_key.as_ref()), row))
        .collect();
    let mut outcomes: Vec<Option<Outcome>> = signups.iter().map(|_| None).collect();
    for (place, account, retry) in retries() {
        let row = known.get(&(account, Some(&retry.key)));
        outcomes[place] = row.map(|row| replay((*row).clone(), retry));
    }
    Ok(outcomes)
}

type Found<'a> = HashMap<(&'a AccountId, &'a ImpressionId), &'a Impression>;

fn impressions_of(
    conn: &mut DbConnection,
    signups: &[Timed<Signup>],
) -> Result<Vec<Impression>, Error> {
    let mut wanted: Vec<_> = signups
        .iter()
        .map(|signup| (&signup.item.account_id, &signup.item.new.impression_id))
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    Ok(impressions::queries::find_each(conn, &wanted)?)
}

fn referral(
    id: ReferralId,
    new: &NewReferral,
    impression: &Impression,
    now: Timestamp,
) -> Referral {
    Referral {
        account_id: impression.account_id,
        id,
        impression_id: impression.id.clone(),
        program_id: impression.program_id.clone(),
        ambassador_id: impression.ambassador_id.clone(),
        first_name: new.first_name.clone(),
        last_name: new.last_name.clone(),
        email_folded: new.email.folded(),
        email: new.email.clone(),
        profile_picture: new.profile_picture.clone(),
        external_id: new.external_id.clone(),
        status: ReferralStatus::Pending,
        verified_at: None,
        metadata: new.metadata.clone(),
        idempotency_key: Retry::key(new.retry.as_ref()),
        idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
        created_at: now,
        updated_at: now,
    }
}
