//! What transfers add up to. Pure.

use super::model::{Balance, Reason, Side};

/// What an ambassador has and had in one currency, in minor units. At every moment
/// `earned = pending + available + in_payout + paid - owed_back + reversed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
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
    /// Everything that was ever earned, as corrected.
    pub earned: i64,
    /// What of it was taken back, before or after it had left.
    pub reversed: i64,
}

impl Sums {
    /// What transfers add up to that moved so much for a reason.
    pub fn of(transfers: impl IntoIterator<Item = (Reason, i64)>) -> Self {
        let mut sums = Self::default();
        for (reason, amount) in transfers {
            sums.add(reason, amount);
        }
        sums
    }

    /// Adds a transfer, or several of one reason.
    pub fn add(&mut self, reason: Reason, amount: i64) {
        let (debit, credit) = reason.sides();
        self.credit(debit, -amount);
        self.credit(credit, amount);
        match (reason, debit, credit) {
            // A correction undoes an earning as if it had never been.
            (Reason::Corrected, ..) => self.earned -= amount,
            (_, Side::Expense, _) => self.earned += amount,
            (_, _, Side::Expense) => self.reversed += amount,
            _ => {}
        }
    }

    fn credit(&mut self, side: Side, amount: i64) {
        match side {
            Side::Expense => {}
            Side::Pending => self.pending += amount,
            Side::Available => self.available += amount,
            Side::InPayout => self.in_payout += amount,
            Side::Paid => self.paid += amount,
            // Here the ambassador is the debtor.
            Side::OwedBack => self.owed_back -= amount,
        }
    }

    /// The accounts as they are kept in `balance`; what was earned and reversed as it is here.
    #[must_use]
    pub fn kept_in(self, balance: &Balance) -> Self {
        Self {
            pending: balance.pending,
            available: balance.available,
            in_payout: balance.in_payout,
            paid: balance.paid,
            owed_back: balance.owed_back,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_earned_is_somewhere_after_every_reason() {
        let mut sums = Sums::default();
        for (n, reason) in (1..).zip(Reason::ALL) {
            sums.add(*reason, n * n);
            let somewhere = sums.pending + sums.available + sums.in_payout + sums.paid;
            assert_eq!(
                sums.earned,
                somewhere - sums.owed_back + sums.reversed,
                "{reason:?}"
            );
        }
    }
}
