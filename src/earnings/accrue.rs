//! Verb: an ambassador earned something.

use super::model::{Earning, EarningStatus, NewEarning, money};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, EarningId, Id, ReferralId};
use crate::referrals::model::{Referral, ReferralStatus};
use crate::{programs, referrals};

/// Records a commission for the referral's ambassador, or finds the one that the same key recorded before.
/// Any status of the referral will do except `rejected`: the documents show earnings made before the referral
/// is converted.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such referral; [`Error::Conflict`] if the referral is rejected, or
/// the key recorded other money.
pub fn accrue(
    conn: &mut DbConnection,
    account: &AccountId,
    id: EarningId,
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
            message: "The referral is rejected, so it earns nothing; take the rejection back first"
                .to_owned(),
        });
            }
            let earning = earned(conn, id, new, referral, now)?;
            Ok(queries::insert_if_new(conn, &earning)?.then_some(earning))
        },
    )
}

fn earned(
    conn: &mut DbConnection,
    id: EarningId,
    new: &NewEarning,
    referral: Referral,
    now: Timestamp,
) -> Result<Earning, Error> {
    let currency = match &new.currency {
        Some(currency) => currency.clone(),
        None => {
            programs::queries::find(conn, &referral.account_id, &referral.program_id)?
                .ok_or_else(|| Error::internal("a referral without a program"))?
                .payout_currency
        }
    };
    Ok(Earning {
        id,
        account_id: referral.account_id,
        referral_id: referral.id,
        program_id: referral.program_id,
        ambassador_id: referral.ambassador_id,
        amount: new.amount,
        kind: new.kind.clone(),
        description: new.description.clone(),
        status: EarningStatus::Pending,
        reference_id: None,
        paid_at: None,
        metadata: new.metadata.clone(),
        idempotency_key: Retry::key(new.retry.as_ref()),
        idempotency_fingerprint: new
            .retry
            .as_ref()
            .map(|_| money(&new.referral_id, new.amount, Some(&currency))),
        currency,
        created_at: now,
        updated_at: now,
    })
}
