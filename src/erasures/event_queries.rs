//! Every statement that erases something about events, and what receivers answered to them.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::forget::OfScan;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::schema::{events, webhook_deliveries, webhook_endpoints};
use crate::ids::{AccountId, EventId};

/// How many events are looked at together.
const STEP: i64 = 500;

/// The words of the index of events of scans.
pub const OF_SCANS: &str = "kind = 'impression.created'";

/// Shows `work` the numbers of the account's events about these objects, behind the one numbered `after`, a few at a time.
/// Looks at all of them: there is no index by object, which every signup would pay for.
pub(super) fn each_event_about(
    conn: &mut DbConnection,
    account: &AccountId,
    objects: &[String],
    after: i64,
    mut work: impl FnMut(&mut DbConnection, Vec<i64>) -> QueryResult<()>,
) -> QueryResult<()> {
    let wanted: std::collections::HashSet<&str> = objects.iter().map(String::as_str).collect();
    let mut reached = after;
    loop {
        let page: Vec<(i64, String)> = events::table
            .filter(events::account_id.eq(account))
            .filter(events::sequence.gt(reached))
            .order(events::sequence)
            .limit(STEP)
            .select((events::sequence, events::object_id))
            .load(conn)?;
        match page.last() {
            None => return Ok(()),
            Some((last, _)) => reached = *last,
        }
        let about = page
            .into_iter()
            .filter(|(_, object)| wanted.contains(object.as_str()));
        let about: Vec<i64> = about.map(|(sequence, _)| sequence).collect();
        if !about.is_empty() {
            work(conn, about)?;
        }
    }
}

/// Empties the objects of these events as `emptied` does, and what receivers answered to them.
pub(super) fn empty_events(
    conn: &mut DbConnection,
    account: &AccountId,
    sequences: &[i64],
    emptied: fn(&str) -> String,
) -> QueryResult<()> {
    let endpoints: Vec<String> = webhook_endpoints::table
        .filter(webhook_endpoints::account_id.eq(account))
        .select(webhook_endpoints::id)
        .load(conn)?;
    for sequence in sequences {
        let event = events::table.find((account, sequence));
        let event = event.select((events::data, events::created_at));
        let found: Option<(String, Timestamp)> = event.first(conn).optional()?;
        // Events have an end too (`HANDBILL_EVENT_RETENTION_DAYS`), also since this one was found.
        let Some((data, at)) = found else { continue };
        diesel::update(events::table.find((account, sequence)))
            .set(events::data.eq(emptied(&data)))
            .execute(conn)?;
        let id = EventId::numbered(at, *sequence);
        for endpoint in &endpoints {
            diesel::update(webhook_deliveries::table.find((account, endpoint, &id)))
                .set((
                    webhook_deliveries::excerpt.eq(None::<String>),
                    webhook_deliveries::last_error.eq(None::<String>),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}

/// The account's next events of scans behind `after` and before `cutoff`, in the order of the scans. There is an index for
/// them, which the databases use if the statement says the same words as it.
pub(super) fn events_of_scans(
    conn: &mut DbConnection,
    account: &AccountId,
    after: Option<OfScan>,
    cutoff: Timestamp,
) -> QueryResult<Vec<OfScan>> {
    let (at, number) = after.unwrap_or((Timestamp::from_micros(i64::MIN), 0));
    let is_behind = events::created_at
        .gt(at)
        .or(events::sequence.gt(number).and(events::created_at.eq(at)));
    events::table
        .filter(events::account_id.eq(account))
        .filter(sql::<Bool>(OF_SCANS))
        .filter(events::sequence.gt(0))
        .filter(events::created_at.ge(at))
        .filter(is_behind)
        .filter(events::created_at.lt(cutoff))
        .order((events::created_at, events::sequence))
        .limit(STEP)
        .select((events::created_at, events::sequence))
        .load(conn)
}
