//! Verb: a program pays by another rule from now on.

use super::model::{Rule, RuleVersion};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{AccountId, ApiKeyId, Id, ProgramId};
use crate::programs;
use crate::programs::model::Program;
use crate::programs::view::ProgramView;

/// Makes `rule` the program's current one, as its next version; if it is that already, it is the version it has. Where
/// the rule is a percentage, the program's `commission_rate` follows it.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such program.
pub fn publish(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    program: &ProgramId,
    rule: Rule,
    now: Timestamp,
) -> Result<RuleVersion, Error> {
    // Held, so that two at once get one number each.
    let mut program = programs::queries::find_to_change(conn, account, program)?
        .ok_or(Error::NotFound(ProgramId::NOUN))?;
    let current = queries::find_current(conn, account, &program.id)?;
    let version = match current {
        Some(current) if current.rule == rule => return Ok(current),
        current => current.map_or(1, |current| current.version + 1),
    };
    let published = RuleVersion {
        account_id: *account,
        program_id: program.id.clone(),
        version,
        rule,
        created_at: now,
        created_by: Some(by.clone()),
    };
    queries::insert(conn, &published)?;
    let rate = published.rule.rate();
    if let Some(rate) = rate.filter(|rate| *rate != program.commission_basis_points) {
        program.commission_basis_points = rate;
        program.updated_at = now;
        programs::queries::update(conn, &program)?;
        tell(conn, &program)?;
    }
    Ok(published)
}

/// The program's rate is another one now.
fn tell(conn: &mut DbConnection, program: &Program) -> Result<(), Error> {
    let view = ProgramView::from(program.clone());
    let (account, id) = (&program.account_id, program.id.as_str());
    let kind = EventKind::ProgramUpdated;
    let event = Event::new(account, kind, id, &view, program.updated_at)?;
    emit(conn, vec![event])
}
