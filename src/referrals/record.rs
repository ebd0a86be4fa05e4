//! Verb: a signup happened.

use super::model::{NewReferral, Referral, ReferralStatus};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, Id, ImpressionId, ReferralId};
use crate::impressions;

/// Records a signup, or finds the one that the same key recorded before. Of any number of simultaneous
/// requests with one key, one makes the referral and the others get it.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such impression; [`Error::Conflict`] if the key recorded another
/// person or another impression.
pub fn record(
    conn: &mut DbConnection,
    account: &AccountId,
    id: ReferralId,
    new: &NewReferral,
    now: Timestamp,
) -> Result<Recorded<Referral>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            let impression = impressions::queries::find(conn, account, &new.impression_id)?
                .ok_or_else(|| Error::no_such("impression_id", ImpressionId::NOUN))?;
            let referral = Referral {
                account_id: account.clone(),
                id,
                impression_id: impression.id,
                program_id: impression.program_id,
                ambassador_id: impression.ambassador_id,
                first_name: new.first_name.clone(),
                last_name: new.last_name.clone(),
                email: new.email.clone(),
                profile_picture: new.profile_picture.clone(),
                status: ReferralStatus::Pending,
                verified_at: None,
                metadata: new.metadata.clone(),
                idempotency_key: Retry::key(new.retry.as_ref()),
                idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
                created_at: now,
                updated_at: now,
            };
            Ok(queries::insert_if_new(conn, &referral)?.then_some(referral))
        },
    )
}
