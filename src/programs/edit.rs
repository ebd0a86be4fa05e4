//! Verb: a program's promises change.

use super::launch::tell;
use super::model::{Program, ProgramChanges};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::model::EventKind;
use crate::ids::{AccountId, ApiKeyId, Id, ProgramId};
use crate::money::Cents;
use crate::rules;
use crate::rules::model::Rule;
use crate::rules::publish::publish;

/// Applies `changes`; if they change nothing, nothing is written. A changed rate is a new rule: that rate of every
/// order.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such program; [`Error::Conflict`] if a new currency would turn the
/// amounts in the program's rule into other ones, or a minimum that the request does not say anew; or if ambassadors
/// would get coupons.
pub fn edit(
    conn: &mut DbConnection,
    account: &AccountId,
    by: &ApiKeyId,
    id: &ProgramId,
    changes: &ProgramChanges,
    now: Timestamp,
) -> Result<Program, Error> {
    let before =
        queries::find_to_change(conn, account, id)?.ok_or(Error::NotFound(ProgramId::NOUN))?;
    let changes = changes.clone();
    let says_minimum = changes.minimum_payout.is_some();
    let mut after = before.clone();
    after.name = changes.name.unwrap_or(after.name);
    after.description = changes.description.unwrap_or(after.description);
    after.landing_url = changes.landing_url.unwrap_or(after.landing_url);
    after.commission_basis_points = changes.commission.unwrap_or(after.commission_basis_points);
    after.payout_schedule = changes.payout_schedule.unwrap_or(after.payout_schedule);
    after.minimum_payout = changes.minimum_payout.unwrap_or(after.minimum_payout);
    after.payout_currency = changes.payout_currency.unwrap_or(after.payout_currency);
    after.available_when = changes.available_when.unwrap_or(after.available_when);
    after.hold_days = changes.hold_days.unwrap_or(after.hold_days);
    after.converted_by = changes.converted_by.unwrap_or(after.converted_by);
    let terms = &mut after.coupon_terms;
    terms.coupons = changes.coupons.map_or(terms.coupons, i64::from);
    if let Some(prefix) = changes.coupon_prefix {
        terms.coupon_prefix = prefix;
    }
    terms.coupon_days = changes.coupon_days.unwrap_or(terms.coupon_days);
    after.must_fit_its_audience()?;
    if after.payout_schedule != before.payout_schedule {
        after.scheduled_since = now;
    }
    after.status = changes.status.unwrap_or(after.status);
    if after != before {
        after.updated_at = now;
        queries::update(conn, &after)?;
        tell(conn, EventKind::ProgramUpdated, &after, Some(before.status))?;
    }
    // Only a rate that changed: a client that sends the whole program back must not undo a rule with tiers.
    if after.commission_basis_points != before.commission_basis_points {
        let rule = Rule::percent(after.commission_basis_points);
        publish(conn, account, by, id, rule, now)?;
    }
    if after.payout_currency != before.payout_currency {
        amounts_stay(conn, &before)?;
        if !says_minimum {
            minimum_stays(&before)?;
        }
    }
    Ok(after)
}

/// The same of the least that is paid out: 5000 yen would be 5.000 dinars.
fn minimum_stays(before: &Program) -> Result<(), Error> {
    match before.minimum_payout {
        Cents::ZERO => Ok(()),
        minimum => Err(Error::Conflict {
            code: "minimum_currency",
            message: format!(
                "The program's minimum_payout is {}; say what it is in the new currency together with that",
                before.payout_currency.written(minimum.get())
            ),
        }),
    }
}

/// 500 in a rule is 5.00 dollars as long as the program pays in dollars; as yen it would be another promise.
fn amounts_stay(conn: &mut DbConnection, before: &Program) -> Result<(), Error> {
    let current = rules::queries::find_current(conn, &before.account_id, &before.id)?;
    let has_amounts =
        |rule: &Rule| rule.has_amounts() || rule.rewards_with_money() || !rule.bonuses.is_empty();
    match current.is_some_and(|current| has_amounts(&current.rule)) {
        false => Ok(()),
        true => Err(Error::Conflict {
            code: "rule_currency",
            message: format!(
                "The program's rule has amounts in {} in it; publish a rule without amounts before the currency changes",
                before.payout_currency.as_str()
            ),
        }),
    }
}
