//! Checks: earnings against their transfers and their status.

use std::collections::BTreeMap;

use super::difference_queries;
use super::queries;
use super::report::Findings;
use super::steps::{self, Walk};
use crate::db::DbConnection;
use crate::earnings::model::{Earning, EarningStatus, Portions};
use crate::error::Error;
use crate::ids::{AccountId, EarningId};
use crate::ledger::model::Reason;

const EARNINGS: Walk = Walk::through("earnings");

/// Sums by reason, of the earning's own ambassador and currency and of any other.
type Sums = BTreeMap<EarningId, Vec<(String, Reason, i64)>>;

/// Every earning's portions are what its transfers add up to; in other currencies they add up to nothing.
pub(super) fn are_their_transfers(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::each(conn, account, EARNINGS, findings, |conn, stretch, found| {
        let mut sums = Sums::new();
        for (id, ambassador, currency, reason, amount) in
            queries::transfers_of_earnings(conn, account, stretch)?
        {
            let purse = format!("{} {}", ambassador.as_str(), currency.as_str());
            sums.entry(id).or_default().push((purse, reason, amount));
        }
        for earning in queries::earnings(conn, account, stretch)? {
            let sums = sums.remove(&earning.id).unwrap_or_default();
            let own = format!(
                "{} {}",
                earning.ambassador_id.as_str(),
                earning.currency.as_str()
            );
            compare(&earning, &own, &sums, found);
        }
        for id in sums.into_keys() {
            found.differs(id.as_str(), "there are transfers, and no earning");
        }
        Ok(())
    })
}

fn compare(earning: &Earning, own: &str, sums: &[(String, Reason, i64)], findings: &mut Findings) {
    let about = earning.id.as_str();
    let mut purses: BTreeMap<&str, (i64, Portions)> = BTreeMap::new();
    purses.entry(own).or_default();
    for (purse, reason, amount) in sums {
        let (total, portions) = purses.entry(purse).or_default();
        apply(total, portions, *reason, *amount);
    }
    for (purse, (amount, is)) in purses {
        let (kept, kept_amount) = match purse == own {
            true => (earning.portions, earning.amount.get()),
            // It was corrected: there it is as if it had never been.
            false => (Portions::default(), 0),
        };
        for (of, kept, is) in [
            ("amount", kept_amount, amount),
            ("held", kept.held, is.held),
            ("available", kept.available, is.available),
            ("in_payout", kept.in_payout, is.in_payout),
            ("paid", kept.paid, is.paid),
            ("set_off", kept.set_off, is.set_off),
            ("reversed", kept.reversed, is.reversed),
            ("clawed_back", kept.clawed_back, is.clawed_back),
        ] {
            findings.compare(about, &format!("{of} with {purse}"), kept, is);
        }
    }
}

/// What a transfer does to an earning. Written anew here, so that a mistake where it is done is not repeated.
fn apply(total: &mut i64, portions: &mut Portions, reason: Reason, amount: i64) {
    let (from, to) = match reason {
        Reason::Earned => {
            portions.held += amount;
            *total += amount;
            return;
        }
        Reason::Corrected => {
            portions.held -= amount;
            *total -= amount;
            return;
        }
        Reason::ClawedBack => {
            portions.clawed_back += amount;
            return;
        }
        Reason::Released => (&mut portions.held, &mut portions.available),
        Reason::HeldAgain => (&mut portions.available, &mut portions.held),
        Reason::ReversedWhileHeld => (&mut portions.held, &mut portions.reversed),
        Reason::ReversedBeforePayout => (&mut portions.available, &mut portions.reversed),
        Reason::SetOff => (&mut portions.available, &mut portions.set_off),
        Reason::PayoutStarted => (&mut portions.available, &mut portions.in_payout),
        Reason::PayoutPaid => (&mut portions.in_payout, &mut portions.paid),
        Reason::PayoutEnded => (&mut portions.in_payout, &mut portions.available),
    };
    *from -= amount;
    *to += amount;
}

/// Every earning's published status fits where its money is.
pub(super) fn stand_where_their_money_is(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::each(conn, account, EARNINGS, findings, |conn, stretch, found| {
        for earning in queries::earnings(conn, account, stretch)? {
            let portions = earning.portions;
            let sum = earning.unpaid() + portions.paid + portions.set_off + portions.reversed;
            let about = earning.id.as_str();
            found.compare(about, "amount", earning.amount.get(), sum);
            if portions.held > earning.standing() {
                found.differs(about, "more of it is held than stands");
            }
            let fits = match earning.status {
                EarningStatus::Pending | EarningStatus::Failed => portions.in_payout == 0,
                EarningStatus::Processing => portions.in_payout > 0,
                EarningStatus::Paid => earning.unpaid() == 0,
            };
            if !fits {
                let status = earning.status.as_str();
                found.differs(about, format!("it is {status} with {portions:?}"));
            }
        }
        Ok(())
    })
}

/// Nothing stands of what a rejected referral earned.
pub(super) fn of_rejected_referrals_are_taken_back(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let differences = difference_queries::standing_of_rejected;
    steps::list(conn, account, EARNINGS, findings, differences)
}
