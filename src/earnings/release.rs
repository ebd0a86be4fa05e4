//! Verbs: a hold ends, or begins again.

use std::collections::BTreeMap;

use super::model::Earning;
use super::purse::Purse;
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId};
use crate::ledger::model::Owner;
use crate::money::Currency;
use crate::referrals::model::Referral;

/// Earnings of one ambassador in one currency, by currency.
type Purses = BTreeMap<(Owner, String), (Currency, Vec<Earning>)>;

/// Sorts earnings by the purse they are in, always in the same order, so that two who hold several do not wait for
/// each other in a circle.
pub fn by_purse(earnings: Vec<Earning>) -> Purses {
    let mut purses = Purses::new();
    for earning in earnings {
        let currency = earning.currency.clone();
        let purse = purses.entry((earning.owner(), currency.as_str().to_owned()));
        purse.or_insert((currency, Vec::new())).1.push(earning);
    }
    purses
}

/// The referral is verified: what waited for that can be paid out.
pub fn verified(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    each(conn, referral, by, now, |purse, earning| {
        match earning.available_at {
            None if earning.portions.held > 0 => purse.release(&earning.id),
            _ => Ok(()),
        }
    })
}

/// The referral is not verified any more: what waited for that, and has not left, is held again.
pub fn unverified(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
) -> Result<(), Error> {
    each(conn, referral, by, now, |purse, earning| {
        match earning.available_at {
            None if earning.portions.available > 0 => purse.hold_again(&earning.id),
            _ => Ok(()),
        }
    })
}

/// Does something with every earning of a referral, each read while its purse is held.
pub fn each(
    conn: &mut DbConnection,
    referral: &Referral,
    by: &ApiKeyId,
    now: Timestamp,
    act: impl Fn(&mut Purse, &Earning) -> Result<(), Error>,
) -> Result<(), Error> {
    let (account, id) = (&referral.account_id, &referral.id);
    let purses = by_purse(queries::list_of_referral(conn, account, id)?);
    for ((owner, _), (currency, _)) in purses {
        let mut purse = Purse::open(conn, &owner, &currency, Some(by), now)?;
        for earning in queries::list_of_referral(conn, account, id)? {
            if earning.currency == currency {
                purse.take(earning.clone());
                act(&mut purse, &earning)?;
            }
        }
        purse.close(conn, None)?;
    }
    Ok(())
}

/// Ends the holds of the account that were to end by `now`, at most `limit` of them. How many that were.
pub fn release_due(
    conn: &mut DbConnection,
    account: &AccountId,
    now: Timestamp,
    limit: i64,
) -> Result<usize, Error> {
    let due = queries::list_to_release(conn, account, now, limit)?;
    let count = due.len();
    for ((owner, _), (currency, earnings)) in by_purse(due) {
        let mut purse = Purse::open(conn, &owner, &currency, None, now)?;
        for seen in earnings {
            let Some(earning) = queries::find(conn, account, &seen.id)? else {
                continue;
            };
            let id = earning.id.clone();
            if earning.currency == currency && earning.portions.held > 0 {
                purse.take(earning);
                purse.release(&id)?;
            }
        }
        purse.close(conn, None)?;
    }
    Ok(count)
}
