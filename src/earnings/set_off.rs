//! Verb: what an ambassador owes back is set off against what can be paid out.

use super::purse::{Purse, find};
use super::queries;
use crate::db::DbConnection;
use crate::error::Error;
use crate::ids::EarningId;
use crate::ledger::model::Reason;

/// How many earnings are looked at together.
const SOME: i64 = 100;

impl Purse {
    /// Sets what is available off against what is owed back, the oldest earning first.
    ///
    /// # Errors
    /// [`Error::Internal`] if the balance has both and no earning has anything that is available: somebody has changed a
    /// row by hand, and nothing of this transaction must stay.
    pub fn settle_debts(&mut self, conn: &mut DbConnection) -> Result<(), Error> {
        let mut after = None;
        while self.balance().owed_back > 0 && self.balance().available > 0 {
            let stored = queries::list_payable(conn, self.balance(), after.as_ref(), SOME)?;
            let last = stored.last().map(|earning| earning.id.clone());
            for earning in stored {
                if !self.taken.contains_key(&earning.id) {
                    self.take(earning);
                }
            }
            let reached = |id: &EarningId| last.as_ref().is_none_or(|last| id <= last);
            let ids: Vec<EarningId> = self
                .taken
                .keys()
                .filter(|id| reached(id))
                .cloned()
                .collect();
            for id in ids {
                self.set_off(&id)?;
            }
            let is_all = last.is_none();
            let balance = self.balance();
            if is_all && balance.owed_back > 0 && balance.available > 0 {
                return Err(Error::internal(format!(
                    "{} of {} {} are available in no earning",
                    balance.available,
                    balance.ambassador_id.as_str(),
                    balance.currency.as_str()
                )));
            }
            after = last;
        }
        Ok(())
    }

    fn set_off(&mut self, id: &EarningId) -> Result<(), Error> {
        let owed_back = self.balance().owed_back;
        let portions = &mut find(&mut self.taken, id)?.portions;
        let amount = portions.available.min(owed_back);
        self.books.post(Reason::SetOff, amount, id, None)?;
        portions.available -= amount;
        portions.set_off += amount;
        Ok(())
    }
}
