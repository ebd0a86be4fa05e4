//! Verb: scans that were kept in the journal are stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::Impression;
use super::scan::tell;
use super::{filed_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, AmbassadorId, Id, ImpressionId, PosterId, ProgramId};
use crate::metadata::Metadata;
use crate::stats::tally::{scanned, tally};
use crate::text::{Line, Paragraph};

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    account_id: String,
    id: String,
    poster_id: String,
    program_id: String,
    ambassador_id: String,
    /// Microseconds since 1970.
    scanned_at: i64,
    user_agent: Option<String>,
    ip_address: Option<String>,
    metadata: Map<String, Value>,
}

impl From<&Impression> for Entry {
    fn from(impression: &Impression) -> Self {
        Self {
            account_id: impression.account_id.to_string(),
            id: impression.id.as_str().to_owned(),
            poster_id: impression.poster_id.as_str().to_owned(),
            program_id: impression.program_id.as_str().to_owned(),
            ambassador_id: impression.ambassador_id.as_str().to_owned(),
            scanned_at: impression.scanned_at.micros(),
            user_agent: impression
                .user_agent
                .as_ref()
                .map(|text| text.as_str().to_owned()),
            ip_address: impression
                .ip_address
                .as_ref()
                .map(|text| text.as_str().to_owned()),
            metadata: impression.metadata.object(),
        }
    }
}

impl Entry {
    /// The impression of a line. `None`: the line was cut off, or is none of ours.
    pub fn impression(line: &str) -> Option<Impression> {
        let entry: Self = serde_json::from_str(line).ok()?;
        Some(Impression {
            account_id: AccountId::from_outside(&entry.account_id)?,
            id: ImpressionId::from_outside(&entry.id)?,
            poster_id: PosterId::from_outside(&entry.poster_id)?,
            program_id: ProgramId::from_outside(&entry.program_id)?,
            ambassador_id: AmbassadorId::from_outside(&entry.ambassador_id)?,
            scanned_at: Timestamp::from_micros(entry.scanned_at),
            user_agent: entry.user_agent.as_deref().map(Paragraph::cut),
            ip_address: entry.ip_address.as_deref().map(Line::cut),
            metadata: Metadata::from(&entry.metadata),
            idempotency_key: None,
            idempotency_fingerprint: None,
        })
    }
}

/// Stores the scans that are not stored yet; those are events if `are_events`. How many that were.
///
/// # Errors
/// [`Error::Unavailable`] if somebody else has just stored some of them.
pub fn replay(
    conn: &mut DbConnection,
    impressions: &[Impression],
    are_events: bool,
) -> Result<usize, Error> {
    let scans = impressions
        .iter()
        .map(|scan| ((&scan.account_id, &scan.id), scan));
    let mut scans: BTreeMap<_, _> = scans.collect();
    let ids: Vec<_> = scans.keys().copied().collect();
    let known = queries::find_each(conn, &ids)?;
    for known in &known {
        scans.remove(&(&known.account_id, &known.id));
    }
    let new: Vec<&Impression> = scans.into_values().collect();
    if queries::insert_new(conn, &new)? != new.len() {
        let cause = "some scans of the journal are being stored already";
        return Err(Error::Unavailable(cause.to_owned()));
    }
    // Others may have been filed since they were scanned.
    filed_queries::file_each(conn, &new)?;
    tally(conn, new.iter().map(|scan| scanned(scan)))?;
    tell(conn, new.iter().copied().filter(|_| are_events))?;
    Ok(new.len())
}
