//! Verb: an ambassador earned something.

use super::earned::Earned;
use super::model::{Earning, NewEarning, money};
use super::purse::Purse;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, ApiKeyId, EarningId, Id, ReferralId};
use crate::programs::model::Program;
use crate::referrals::model::{Referral, ReferralStatus};
use crate::{programs, referrals};

/// Records a commission that the company computed, or finds the one that the same key recorded before. Any status of
/// the referral will do except `rejected`: the documents show earnings made before the referral is converted.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such referral; [`Error::Conflict`] if the referral is rejected, or
/// the key recorded other money.
pub fn accrue(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: &EarningId,
    new: &NewEarning,
    now: Timestamp,
) -> Result<Recorded<Earning>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            // Held, so that nobody rejects it between the look and the insert.
            let referral = referrals::queries::find_to_change(conn, account, &new.referral_id)?
                .ok_or_else(|| Error::no_such("referral_id", ReferralId::NOUN))?;
            if referral.status == ReferralStatus::Rejected {
                return Err(Error::Conflict {
                    code: "referral_rejected",
                    message: "The referral is rejected, so it earns nothing; take the rejection back first".to_owned(),
                });
            }
            let program = program_of(conn, &referral)?;
            let currency = new
                .currency
                .clone()
                .unwrap_or(program.payout_currency.clone());
            let mut earning = Earned {
                amount: new.amount,
                kind: new.kind.clone(),
                description: new.description.clone(),
                metadata: new.metadata.clone(),
                ..Earned::of(&referral, currency, now)
            }
            .earning(id.clone(), &program, now);
            earning.idempotency_key = Retry::key(new.retry.as_ref());
            earning.idempotency_fingerprint = new
                .retry
                .as_ref()
                .map(|_| money(&new.referral_id, new.amount, Some(&earning.currency)));
            let mut purse = Purse::open(conn, &earning.owner(), &earning.currency, Some(by), now)?;
            if !begin(conn, &mut purse, &referral, earning, now)? {
                return Ok(None);
            }
            let made = purse.close(conn, None)?;
            Ok(made.into_iter().find(|earning| earning.id == *id))
        },
    )
}

/// Stores a new earning and books it; what needs no hold any more is available at once. `false`: its key is taken.
pub fn begin(
    conn: &mut DbConnection,
    purse: &mut Purse,
    referral: &Referral,
    earning: Earning,
    now: Timestamp,
) -> Result<bool, Error> {
    let id = earning.id.clone();
    let is_free = match earning.available_at {
        Some(at) => at <= now,
        None => referral.status == ReferralStatus::Verified,
    };
    let is_new = purse.begin(conn, earning)?;
    if is_new && is_free {
        purse.release(&id)?;
    }
    Ok(is_new)
}

/// The referral's program.
pub fn program_of(conn: &mut DbConnection, referral: &Referral) -> Result<Program, Error> {
    programs::queries::find(conn, &referral.account_id, &referral.program_id)?
        .ok_or_else(|| Error::internal("a referral without a program"))
}
