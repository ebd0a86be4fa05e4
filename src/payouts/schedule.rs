//! When a program's next collection is due, and that it begins once.

use super::collect;
use super::collection_queries;
use super::model::{Collection, CollectionStatus, NewCollection};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::idempotency::{Recorded, Retry, fingerprint};
use crate::ids::{AccountId, ProgramId};
use crate::programs;
use crate::programs::model::{PayoutSchedule, Program};
use crate::text::IdempotencyKey;

/// Days since 1970 of the first Monday after that day, from which every second week is counted.
const FIRST_MONDAY: i64 = 4;

/// The last moment up to `now` at which the program was to be collected, by its schedule as it is: the first of a month,
/// a Monday, every other Monday, at midnight UTC. `None`: there was none yet, or nobody but a person collects.
pub fn last_due(program: &Program, now: Timestamp) -> Option<Timestamp> {
    let midnight = |day: i64| Timestamp::from_micros(day * 86_400_000_000);
    let due = match program.payout_schedule {
        PayoutSchedule::Manual => return None,
        PayoutSchedule::Monthly => now.start_of_month(),
        PayoutSchedule::Weekly => midnight(now.day() - (now.day() - FIRST_MONDAY).rem_euclid(7)),
        PayoutSchedule::Biweekly => midnight(now.day() - (now.day() - FIRST_MONDAY).rem_euclid(14)),
    };
    (due > program.scheduled_since).then_some(due)
}

/// The account's programs whose schedule asks for a run that is not through yet.
pub fn list_due(
    conn: &mut DbConnection,
    account: &AccountId,
    now: Timestamp,
) -> Result<Vec<ProgramId>, Error> {
    let mut due = Vec::new();
    for program in programs::queries::list_scheduled(conn, account)? {
        let Some(at) = last_due(&program, now) else {
            continue;
        };
        let run = collection_queries::find_by_key(conn, account, &key(&program.id, at))?;
        if run.is_none_or(|run| run.status == CollectionStatus::Collecting) {
            due.push(program.id);
        }
    }
    Ok(due)
}

/// Begins the run that the program's schedule asks for, or finds it: all processes that do so for the same moment get
/// the same run. `None`: the schedule has changed meanwhile.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such program.
pub fn begin_due(
    conn: &mut DbConnection,
    account: &AccountId,
    program: &ProgramId,
    now: Timestamp,
) -> Result<Option<Collection>, Error> {
    let program = collect::program(conn, account, program)?;
    let Some(at) = last_due(&program, now) else {
        return Ok(None);
    };
    let new = NewCollection {
        retry: Some(Retry {
            key: key(&program.id, at),
            fingerprint: fingerprint(&["schedule", program.id.as_str()]),
        }),
        program_id: program.id,
    };
    let (Recorded::New(run) | Recorded::Replayed(run)) = collect::begin(conn, account, &new, now)?;
    Ok(Some(run))
}

/// One for each program and day.
fn key(program: &ProgramId, due: Timestamp) -> IdempotencyKey {
    let moment = due.to_string();
    let day = moment.split('T').next().unwrap_or_default();
    IdempotencyKey::of_ours(&format!("schedule {} {day}", program.as_str()))
}
