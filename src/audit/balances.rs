//! Checks: balances against the transfers, and against the earnings.

use std::collections::BTreeMap;

use super::queries;
use super::report::Findings;
use super::steps::{self, Walk};
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;
use crate::ledger;
use crate::ledger::model::{Balance, Owner, Transfer};

const BALANCES: Walk = Walk {
    table: "balances",
    key: "ambassador_id",
    rows: 200,
};

/// How many transfers are in memory at once.
const SOME: i64 = 1_000;

/// Every balance is what its transfers add up to, one by one, without a gap and never below zero.
pub(super) fn are_their_transfers(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let mut replayed = 0;
    steps::each(conn, account, BALANCES, findings, |conn, stretch, found| {
        for balance in queries::balances(conn, account, stretch)? {
            replayed += replay(conn, &balance, found)?;
        }
        Ok(())
    })?;
    let stored = queries::count_transfers(conn, account)?;
    findings.compare("the ledger", "the number of transfers", stored, replayed);
    Ok(())
}

/// Replays a balance. How many transfers that were.
fn replay(conn: &mut DbConnection, kept: &Balance, findings: &mut Findings) -> Result<i64, Error> {
    let owner = Owner {
        account_id: kept.account_id,
        program_id: kept.program_id.clone(),
        ambassador_id: kept.ambassador_id.clone(),
    };
    let about = name(kept.ambassador_id.as_str(), kept.currency.as_str());
    let mut replayed = Balance::empty(&owner, &kept.currency);
    let (mut count, mut after) = (0, 0);
    loop {
        let (account, ambassador) = (&kept.account_id, &kept.ambassador_id);
        let some = ledger::queries::walk(conn, account, ambassador, &kept.currency, after, SOME)?;
        let Some(last) = some.last() else { break };
        after = last.position;
        for transfer in some {
            count += 1;
            follow(&mut replayed, &transfer, &about, findings);
        }
    }
    for (of, kept, is) in [
        ("pending", kept.pending, replayed.pending),
        ("available", kept.available, replayed.available),
        ("in_payout", kept.in_payout, replayed.in_payout),
        ("paid", kept.paid, replayed.paid),
        ("owed_back", kept.owed_back, replayed.owed_back),
        ("the number of transfers", kept.transfers, count),
        (
            "the moment of the last transfer",
            kept.moved_at.micros(),
            replayed.moved_at.micros(),
        ),
    ] {
        findings.compare(&about, of, kept, is);
    }
    Ok(count)
}

/// One transfer after the others.
fn follow(replayed: &mut Balance, transfer: &Transfer, about: &str, findings: &mut Findings) {
    let (at, before) = (transfer.position, replayed.transfers);
    if at != before + 1 {
        findings.differs(about, format!("transfer {at} follows transfer {before}"));
    }
    if (transfer.debit, transfer.credit) != transfer.reason.sides() {
        let (debit, credit) = (transfer.debit.as_str(), transfer.credit.as_str());
        let reason = transfer.reason.as_str();
        let problem = format!("transfer {at} goes from {debit} to {credit} for {reason}");
        findings.differs(about, problem);
    }
    if transfer.created_at < replayed.moved_at {
        findings.differs(
            about,
            format!("transfer {at} is older than the one before it"),
        );
    }
    let was_sound = replayed.is_sound();
    replayed.transfer(transfer.debit, transfer.credit, transfer.amount);
    replayed.transfers = at;
    replayed.moved_at = transfer.created_at;
    if was_sound && !replayed.is_sound() {
        findings.differs(about, format!("transfer {at} leaves an account below zero"));
    }
}

/// Every balance is what the ambassador's earnings have in that currency.
pub(super) fn are_their_earnings(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    steps::each(conn, account, BALANCES, findings, |conn, stretch, found| {
        let mut portions: BTreeMap<String, _> = BTreeMap::new();
        for (ambassador, currency, portioned) in
            queries::portions_of_ambassadors(conn, account, stretch)?
        {
            portions.insert(name(ambassador.as_str(), currency.as_str()), portioned);
        }
        for kept in queries::balances(conn, account, stretch)? {
            let about = name(kept.ambassador_id.as_str(), kept.currency.as_str());
            let is = portions.remove(&about).unwrap_or_default();
            for (of, kept, is) in [
                ("pending", kept.pending, is.held),
                ("available", kept.available, is.available),
                ("in_payout", kept.in_payout, is.in_payout),
                ("paid", kept.paid, is.paid),
                ("owed_back", kept.owed_back, is.owed_back),
            ] {
                found.compare(&about, of, kept, is);
            }
        }
        for about in portions.into_keys() {
            found.differs(about, "there are earnings, and no balance");
        }
        Ok(())
    })
}

fn name(ambassador: &str, currency: &str) -> String {
    format!("{ambassador} {currency}")
}
