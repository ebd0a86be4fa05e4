//! Verb: a scan that was seen elsewhere is taken in.

use super::model::{Impression, NewImpression};
use super::scan::tell;
use super::{filed_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, Id, ImpressionId, PosterId};
use crate::posters;
use crate::stats::tally::{scanned, tally};

/// Records a scan, or finds the one that the same key recorded before. A retired poster's scans are taken
/// too: they may be reported late.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such poster; [`Error::Conflict`] if the key recorded another scan.
pub fn record(
    conn: &mut DbConnection,
    account: &AccountId,
    id: ImpressionId,
    new: &NewImpression,
    scanned_at: Timestamp,
) -> Result<Recorded<Impression>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            let poster = posters::queries::find(conn, account, &new.poster_id)?
                .ok_or_else(|| Error::no_such("poster_id", PosterId::NOUN))?;
            let impression = Impression {
                account_id: *account,
                id,
                poster_id: poster.id,
                program_id: poster.program_id,
                ambassador_id: poster.ambassador_id,
                scanned_at,
                user_agent: new.user_agent.clone(),
                ip_address: new.ip_address.clone(),
                metadata: new.metadata.clone(),
                idempotency_key: Retry::key(new.retry.as_ref()),
                idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
            };
            if !queries::insert_if_new(conn, &impression)? {
                return Ok(None);
            }
            // It may lie behind what was filed already, where nobody would come by again.
            filed_queries::file_each(conn, &[&impression])?;
            tally(conn, [scanned(&impression)])?;
            tell(conn, Some(&impression).filter(|_| new.is_event))?;
            Ok(Some(impression))
        },
    )
}
