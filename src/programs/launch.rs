//! Verb: a program begins.

use super::model::{Audience, NewProgram, Program, ProgramStatus};
use super::queries;
use super::view::ProgramView;
use crate::clock::Timestamp;
use crate::db::{DbConnection, name};
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, ApiKeyId, ProgramId};
use crate::rules::model::Rule;
use crate::rules::publish::publish;

/// Makes a program, or finds the one that the same key made before. A new one pays by its first rule: its rate of
/// every order.
///
/// # Errors
/// [`Error::Conflict`] if the key made another program, or if it is for customers and another one is.
pub fn launch(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: ProgramId,
    new: &NewProgram,
    now: Timestamp,
) -> Result<Recorded<Program>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(queries::find_by_key(conn, account, key)?),
        |conn| {
            let program = Program {
                account_id: *account,
                id,
                name: new.name.clone(),
                description: new.description.clone(),
                landing_url: new.landing_url.clone(),
                commission_basis_points: new.commission,
                payout_schedule: new.payout_schedule,
                minimum_payout: new.minimum_payout,
                payout_currency: new.payout_currency.clone(),
                scheduled_since: now,
                available_when: new.available_when,
                hold_days: new.hold_days,
                converted_by: new.converted_by,
                audience: new.audience,
                coupon_terms: new.coupon_terms.clone(),
                status: new.status,
                idempotency_key: Retry::key(new.retry.as_ref()),
                idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
                created_at: now,
                updated_at: now,
            };
            program.must_fit_its_audience()?;
            if program.audience == Audience::Customers {
                must_be_the_only_one(conn, account)?;
            }
            if !queries::insert_if_new(conn, &program)? {
                return Ok(None);
            }
            let rule = Rule::percent(program.commission_basis_points);
            publish(conn, account, by, &program.id, rule, now)?;
            tell(conn, EventKind::ProgramCreated, &program, None)?;
            Ok(Some(program))
        },
    )
}

/// A customer has one link, so there is one program to which it belongs.
fn must_be_the_only_one(conn: &mut DbConnection, account: &AccountId) -> Result<(), Error> {
    hold_the_one_for_customers(conn, account)?;
    match queries::find_for_customers(conn, account)? {
        None => Ok(()),
        Some(other) => Err(Error::Conflict {
            code: "customer_program_exists",
            message: format!(
                "{} is the program for customers already, and there can be one",
                other.id.as_str()
            ),
        }),
    }
}

/// Whoever looks for the program for customers, to make it if there is none, does so alone.
pub fn hold_the_one_for_customers(
    conn: &mut DbConnection,
    account: &AccountId,
) -> Result<(), Error> {
    Ok(name::hold(conn, &[&account.text(), "customer program"])?)
}

/// Writes down what became of a program, and where it stood before if that changed.
pub(super) fn tell(
    conn: &mut DbConnection,
    kind: EventKind,
    program: &Program,
    before: Option<ProgramStatus>,
) -> Result<(), Error> {
    let view = ProgramView::from(program.clone());
    let (account, id) = (&program.account_id, program.id.as_str());
    let event = Event::new(account, kind, id, &view, program.updated_at)?;
    let event = match before.filter(|before| *before != program.status) {
        None => event,
        Some(before) => event.after(before.as_str()),
    };
    emit(conn, vec![event])
}
