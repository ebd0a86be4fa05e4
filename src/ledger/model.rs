//! A transfer, a balance, and what they are called.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::{balances, transfers};
use crate::ids::{AccountId, AmbassadorId, EarningId, ProgramId, TransferId, Wanted};
use crate::money::Currency;
use crate::text::Line;

text_enum! {
    /// A side of a transfer.
    pub enum Side {
        /// The program's: where commissions come from, and where reversed ones go back to.
        Expense = "expense",
        /// Earned, and held until the referral is verified or the hold is over.
        Pending = "pending",
        /// Can be paid out.
        Available = "available",
        /// On its way to the ambassador.
        InPayout = "in_payout",
        /// Has arrived.
        Paid = "paid",
        /// Was paid, and is owed back: what the ambassador earns next is set off against it.
        OwedBack = "owed_back",
    }
}

text_enum! {
    /// Why money moved. Each reason has its two sides: see [`Reason::sides`].
    pub enum Reason {
        /// A commission was earned.
        Earned = "earned",
        /// Its hold is over.
        Released = "released",
        /// The verification was taken back, so it is held again.
        HeldAgain = "held_again",
        /// Its amount or currency was corrected: this undoes what was earned, and it is earned anew.
        Corrected = "corrected",
        /// It was taken back while it was held.
        ReversedWhileHeld = "reversed_while_held",
        /// It was taken back before it was paid out.
        ReversedBeforePayout = "reversed_before_payout",
        /// It was taken back after it had left.
        ClawedBack = "clawed_back",
        /// It settled a part of what was owed back.
        SetOff = "set_off",
        /// It left.
        PayoutStarted = "payout_started",
        /// It arrived.
        PayoutPaid = "payout_paid",
        /// It came back: the payout failed or was cancelled.
        PayoutEnded = "payout_ended",
    }
}

impl Reason {
    /// What such a transfer debits and credits. All accounts of an ambassador but `owed_back` grow by a credit.
    pub const fn sides(self) -> (Side, Side) {
        match self {
            Self::Earned => (Side::Expense, Side::Pending),
            Self::Released => (Side::Pending, Side::Available),
            Self::HeldAgain => (Side::Available, Side::Pending),
            Self::Corrected | Self::ReversedWhileHeld => (Side::Pending, Side::Expense),
            Self::ReversedBeforePayout => (Side::Available, Side::Expense),
            Self::ClawedBack => (Side::OwedBack, Side::Expense),
            Self::SetOff => (Side::Available, Side::OwedBack),
            Self::PayoutStarted => (Side::Available, Side::InPayout),
            Self::PayoutPaid => (Side::InPayout, Side::Paid),
            Self::PayoutEnded => (Side::InPayout, Side::Available),
        }
    }
}

/// Whose money it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The account.
    pub account_id: AccountId,
    /// The ambassador's program.
    pub program_id: ProgramId,
    /// The ambassador.
    pub ambassador_id: AmbassadorId,
}

/// What an ambassador has in one currency, in minor units. The sum of the transfers, kept beside them in the same
/// transaction.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery, Insertable)]
#[diesel(table_name = balances, treat_none_as_default_value = false)]
pub struct Balance {
    /// Whose they are.
    pub account_id: AccountId,
    /// Who earned it.
    pub ambassador_id: AmbassadorId,
    /// ISO 4217.
    pub currency: Currency,
    /// The ambassador's program.
    pub program_id: ProgramId,
    /// Earned and held.
    pub pending: i64,
    /// Can be paid out.
    pub available: i64,
    /// On its way.
    pub in_payout: i64,
    /// Has arrived.
    pub paid: i64,
    /// Owed back.
    pub owed_back: i64,
    /// How many transfers there have been.
    pub transfers: i64,
    /// When the last of them was made.
    pub moved_at: Timestamp,
}

impl Balance {
    /// Nothing, and no transfers.
    pub fn empty(owner: &Owner, currency: &Currency) -> Self {
        Self {
            account_id: owner.account_id,
            ambassador_id: owner.ambassador_id.clone(),
            currency: currency.clone(),
            program_id: owner.program_id.clone(),
            pending: 0,
            available: 0,
            in_payout: 0,
            paid: 0,
            owed_back: 0,
            transfers: 0,
            moved_at: Timestamp::from_micros(0),
        }
    }

    /// Applies one side's change, `amount` above zero being a credit.
    fn credit(&mut self, side: Side, amount: i64) {
        match side {
            // Not the ambassador's.
            Side::Expense => {}
            Side::Pending => self.pending += amount,
            Side::Available => self.available += amount,
            Side::InPayout => self.in_payout += amount,
            Side::Paid => self.paid += amount,
            // The one account in which the ambassador is the debtor.
            Side::OwedBack => self.owed_back -= amount,
        }
    }

    /// What the balance is after a transfer of `amount` from `debit` to `credit`.
    pub fn transfer(&mut self, debit: Side, credit: Side, amount: i64) {
        self.credit(debit, -amount);
        self.credit(credit, amount);
    }

    /// Whether no account is below zero.
    pub fn is_sound(&self) -> bool {
        let accounts = [self.pending, self.available, self.in_payout, self.paid];
        accounts.iter().all(|amount| *amount >= 0) && self.owed_back >= 0
    }
}

/// One row of the ledger; never changed, never deleted.
#[derive(Debug, Clone, PartialEq, Eq, HasQuery, Insertable)]
#[diesel(table_name = transfers, treat_none_as_default_value = false)]
pub struct Transfer {
    /// Whose it is.
    pub account_id: AccountId,
    /// `tr_…`
    pub id: TransferId,
    /// Whose money moved.
    pub ambassador_id: AmbassadorId,
    /// ISO 4217.
    pub currency: Currency,
    /// 1, 2, 3 … of this ambassador in this currency: a missing row shows.
    pub position: i64,
    /// Where it was taken.
    pub debit: Side,
    /// Where it was put.
    pub credit: Side,
    /// Minor units, above zero.
    pub amount: i64,
    /// Why.
    pub reason: Reason,
    /// Of which earning.
    pub earning_id: EarningId,
    /// The payout or the refund that was the occasion, if there was one.
    pub occasion: Option<Line>,
    /// When.
    pub created_at: Timestamp,
}

/// Which transfers.
#[derive(Debug, Clone, Default)]
pub struct TransferFilter {
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only this earning's.
    pub earning_id: Option<Wanted<EarningId>>,
}
