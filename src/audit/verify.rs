//! Runs all checks.

use super::report::{Findings, Report};
use super::{
    balances, counts, files, histories, orders, origins, payments, pointers, portions, rewards,
    texts,
};
use crate::accounts;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::AccountId;

type Check = fn(&mut DbConnection, &AccountId, &mut Findings) -> Result<(), Error>;

/// What should be true, and how to find out.
const CHECKS: [(&str, Check); 28] = [
    (
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
        balances::are_their_transfers,
    ),
    (
        "Every balance is what the ambassador's earnings have in that currency",
        balances::are_their_earnings,
    ),
    (
        "Every earning's portions are what its transfers add up to",
        portions::are_their_transfers,
    ),
    (
        "Every earning's status fits where its money is",
        portions::stand_where_their_money_is,
    ),
    (
        "Nothing stands of what a rejected referral earned",
        portions::of_rejected_referrals_are_taken_back,
    ),
    (
        "Every payout is the sum of its items",
        payments::are_their_items,
    ),
    (
        "Every payout holds its earnings while it is on its way or has arrived",
        payments::hold_what_they_pay,
    ),
    (
        "No earning is in two payouts at once",
        payments::pay_nothing_twice,
    ),
    (
        "Every payout booked what its status says",
        payments::booked_what_they_say,
    ),
    (
        "Every transfer for a payout is of one of its items",
        payments::said_what_they_booked,
    ),
    (
        "Every earning in a payout stands where the payout does",
        payments::move_their_earnings,
    ),
    (
        "Every order is refunded by what its refunds add up to",
        orders::are_refunded_by_their_refunds,
    ),
    (
        "Every refund is applied to its order, or waits for one that has not come",
        orders::meet_their_refunds,
    ),
    (
        "Every refund took back what its transfers add up to",
        orders::booked_their_refunds,
    ),
    (
        "Every commission is what its computation says, and no more than the order",
        orders::paid_what_was_computed,
    ),
    (
        "What stands of a commission is its share of what was not refunded",
        orders::stand_as_far_as_they_were_kept,
    ),
    (
        "Every earning says the same as its order, its signup and its rule",
        origins::agree_with_orders,
    ),
    (
        "Every order says the same as its signup and its rule",
        origins::agree_with_signups,
    ),
    (
        "Every earning that was given again is in the place of one, and every reward is for an introduction",
        origins::have_a_reason,
    ),
    ("Every bonus stands once at most", origins::are_bonuses_once),
    (
        "Every transfer for a refund is of one of its order",
        origins::said_what_took_them_back,
    ),
    (
        "Every reward of an introduction was booked, and stands once at most",
        rewards::booked_their_rewards,
    ),
    (
        "Every coupon was used for the order that says so",
        rewards::used_their_coupons,
    ),
    (
        "Every referral stands where its history leads",
        histories::lead_to_referrals,
    ),
    (
        "Every earning stands where its history leads",
        histories::lead_to_earnings,
    ),
    (
        "Every payout stands where its history leads",
        histories::lead_to_payouts,
    ),
    (
        "Every ambassador's signups are counted, by day and by where they stand",
        counts::of_signups,
    ),
    ("Every day's scans are counted", counts::of_scans),
];

/// The same of what comes in crowds, whose tables say less than others (docs/decisions/0018).
const CROWDS: [(&str, Check); 5] = [
    (
        "Every scan is of a poster that is there",
        pointers::lead_to_posters,
    ),
    (
        "Every signup is of a scan that is there, and of whose poster it was",
        pointers::lead_to_scans,
    ),
    ("Every scan's texts are such as are taken", texts::of_scans),
    (
        "Every signup's texts are such as are taken",
        texts::of_signups,
    ),
    ("Every event's object is one", texts::of_events),
];

/// Asked of all accounts at once.
const ACCOUNTS: &str = "Nothing is of an account that is not there";

/// This one is of no account.
const FILE: &str = "The database is whole";

/// Adds everything up again. Has to be asked on one state of the database: what is written meanwhile would look like a
/// difference.
pub fn verify(conn: &mut DbConnection) -> Result<Report, Error> {
    let accounts = accounts::queries::list(conn)?;
    let mut report = Report::default();
    for (check, look) in CHECKS.into_iter().chain(CROWDS) {
        let mut findings = report.begin(check);
        for account in &accounts {
            look(conn, &account.id, findings.of(&account.id))?;
        }
    }
    pointers::lead_to_accounts(conn, &accounts, &mut report.begin(ACCOUNTS))?;
    files::are_whole(conn, &mut report.begin(FILE))?;
    Ok(report)
}

/// Only what the tables do not say themselves, of one account: for a copy that comes from elsewhere.
pub fn crowds(conn: &mut DbConnection, account: &AccountId) -> Result<Report, Error> {
    let mut report = Report::default();
    for (check, look) in CROWDS {
        look(conn, account, report.begin(check).of(account))?;
    }
    Ok(report)
}

/// Only whether the database is whole: for one of an older version, whose tables are not what is added up here.
pub fn look_at_the_file(conn: &mut DbConnection) -> Result<Report, Error> {
    let mut report = Report::default();
    files::are_whole(conn, &mut report.begin(FILE))?;
    Ok(report)
}
