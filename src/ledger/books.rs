//! Verb: money moves. The only place where a balance changes.

use super::model::{Balance, Owner, Reason, Transfer};
use super::queries;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::{EarningId, Tail, TransferId};
use crate::money::{Currency, MAX_CENTS};
use crate::text::Line;

/// One ambassador's accounts in one currency, held until the transaction ends. Transfers are collected here and
/// written by [`Books::close`].
#[derive(Debug)]
pub struct Books {
    balance: Balance,
    posted: Vec<Transfer>,
    now: Timestamp,
}

impl Books {
    /// Holds the accounts; who else wants them waits.
    pub fn open(
        conn: &mut DbConnection,
        owner: &Owner,
        currency: &Currency,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let balance = queries::hold(conn, &Balance::empty(owner, currency))?;
        Ok(Self {
            // On PostgreSQL a write that began later may have been here first. Transfers are in the order of time all the
            // same, so that those up to a moment are a beginning of the book, which adds up.
            now: now.max(balance.moved_at),
            balance,
            posted: Vec::new(),
        })
    }

    /// The accounts as they are after what was posted.
    pub fn balance(&self) -> &Balance {
        &self.balance
    }

    /// Moves `amount` of `earning` for a `reason`. Nothing is posted for nothing.
    ///
    /// # Errors
    /// [`Error::Internal`] if an account would fall below zero or leave the range of amounts: the caller has
    /// miscounted, and nothing of its transaction must stay.
    pub fn post(
        &mut self,
        reason: Reason,
        amount: i64,
        earning: &EarningId,
        occasion: Option<&Line>,
    ) -> Result<(), Error> {
        if amount == 0 {
            return Ok(());
        }
        let (debit, credit) = reason.sides();
        let mut after = self.balance.clone();
        after.transfer(debit, credit, amount);
        after.transfers += 1;
        after.moved_at = self.now;
        if !(1..=MAX_CENTS).contains(&amount) || !after.is_sound() {
            return Err(Error::internal(format!(
                "{} cannot move {amount} of {}",
                reason.as_str(),
                earning.as_str()
            )));
        }
        self.posted.push(Transfer {
            account_id: after.account_id,
            id: TransferId::with_tail(self.now, &Tail::numbered(after.transfers)),
            ambassador_id: after.ambassador_id.clone(),
            currency: after.currency.clone(),
            position: after.transfers,
            debit,
            credit,
            amount,
            reason,
            earning_id: earning.clone(),
            occasion: occasion.cloned(),
            created_at: self.now,
        });
        self.balance = after;
        Ok(())
    }

    /// Writes what was posted.
    pub fn close(self, conn: &mut DbConnection) -> Result<(), Error> {
        if self.posted.is_empty() {
            return Ok(());
        }
        for transfer in &self.posted {
            queries::insert(conn, transfer)?;
        }
        Ok(queries::store(conn, &self.balance)?)
    }
}
