//! Checks: what rows point at without a foreign key is there. These are the rows that come in crowds
//! (docs/decisions/0018).

use std::collections::HashSet;

use super::difference_queries as differences;
use super::report::Findings;
use super::steps::{Walk, list};
use super::whole_queries;
use crate::accounts::model::Account;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

/// The tables that say of no row by themselves that its account is there.
const OF_ACCOUNTS: [&str; 3] = ["impressions", "referrals", "events"];

/// Every scan is of a poster of the account.
pub(super) fn lead_to_posters(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    // Their posters are few.
    let walk = Walk::far_through("impressions");
    list(conn, account, walk, findings, differences::lost_scans)
}

/// Every signup is of a scan of the account, and of the program and the ambassador of its poster.
pub(super) fn lead_to_scans(
    conn: &mut DbConnection,
    account: &AccountId,
    findings: &mut Findings,
) -> Result<(), Error> {
    let walk = Walk::through("referrals");
    list(conn, account, walk, findings, differences::lost_signups)
}

/// No row is of an account that is not there.
pub(super) fn lead_to_accounts(
    conn: &mut DbConnection,
    accounts: &[Account],
    findings: &mut Findings,
) -> Result<(), Error> {
    let known: HashSet<AccountId> = accounts.iter().map(|account| account.id).collect();
    for table in OF_ACCOUNTS {
        let mut after = None;
        while let Some(account) = whole_queries::account_behind(conn, table, after)? {
            findings.looked_at(1);
            if !known.contains(&account) {
                findings.differs(account.text(), format!("{table} has rows of it"));
            }
            after = Some(account);
        }
    }
    Ok(())
}
