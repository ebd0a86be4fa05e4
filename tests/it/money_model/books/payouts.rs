//! What is available, corrected, collected and paid.

use super::{Books, Stand, Told};

impl Books {
    /// The holds end that were to end by now.
    pub fn release(&mut self) {
        let now = self.now;
        for earning in &mut self.earnings {
            if earning.free_at.is_some_and(|at| at <= now) {
                earning.available += std::mem::take(&mut earning.held);
            }
        }
        for ambassador in 0..self.ambassadors.len() {
            for currency in 0..3 {
                self.close((ambassador, currency));
            }
        }
    }

    pub fn move_earning(&mut self, place: usize, to: Stand) -> Told {
        let before = self.clone();
        let (from, purse) = (self.earnings[place].stand, self.earnings[place].purse);
        let allowed = match from {
            _ if from == to => return Ok(()),
            Stand::Pending => matches!(to, Stand::Processing | Stand::Paid),
            Stand::Processing => matches!(to, Stand::Paid | Stand::Failed),
            Stand::Failed => to == Stand::Processing,
            Stand::Paid => false,
        };
        if !allowed {
            return Err("forbidden_transition");
        }
        if self.earnings[place].payout.is_some() {
            return Err("earning_in_payout");
        }
        if from != Stand::Processing {
            let earning = &mut self.earnings[place];
            earning.available += std::mem::take(&mut earning.held);
            self.set_off(purse);
            let earning = &mut self.earnings[place];
            earning.in_payout += std::mem::take(&mut earning.available);
            if to == Stand::Processing && earning.in_payout == 0 {
                *self = before;
                return Err("nothing_to_pay");
            }
        }
        let earning = &mut self.earnings[place];
        match to {
            Stand::Paid => earning.paid += std::mem::take(&mut earning.in_payout),
            Stand::Failed => earning.available += std::mem::take(&mut earning.in_payout),
            Stand::Pending | Stand::Processing => {}
        }
        earning.stand = to;
        self.close(purse);
        Ok(())
    }

    pub fn correct(&mut self, place: usize, amount: i64) -> Told {
        let earning = &mut self.earnings[place];
        if amount == earning.amount {
            return Ok(());
        }
        if earning.stand == Stand::Paid {
            return Err("earning_paid");
        }
        if !earning.reported {
            return Err("earning_computed");
        }
        if earning.reversed + earning.clawed_back + earning.set_off > 0 {
            return Err("earning_reversed");
        }
        if earning.payout.is_some() {
            return Err("earning_in_payout");
        }
        for portion in [
            &mut earning.held,
            &mut earning.available,
            &mut earning.in_payout,
        ] {
            *portion = if *portion > 0 { amount } else { 0 };
        }
        earning.amount = amount;
        let purse = earning.purse;
        self.close(purse);
        Ok(())
    }

    pub fn collect(&mut self, program: usize) {
        for purse in (0..self.ambassadors.len()).flat_map(|who| [(who, 0), (who, 1)]) {
            let minimum = if purse.1 == 0 {
                self.programs[program].minimum.max(1)
            } else {
                1
            };
            if self.ambassadors[purse.0] != program || self.balance(purse)[1] < minimum {
                continue;
            }
            let payout = self.payouts.len();
            self.payouts.push((purse, Stand::Processing));
            for earning in self.of(purse).filter(|earning| earning.available > 0) {
                earning.in_payout += std::mem::take(&mut earning.available);
                earning.stand = Stand::Processing;
                earning.payout = Some(payout);
            }
        }
    }

    pub fn settle(&mut self, payout: usize, arrived: bool) -> Told {
        let (purse, stand) = self.payouts[payout];
        let to = if arrived { Stand::Paid } else { Stand::Failed };
        if stand == to {
            return Ok(());
        }
        if stand != Stand::Processing {
            return Err("forbidden_transition");
        }
        self.payouts[payout].1 = to;
        for earning in self
            .of(purse)
            .filter(|earning| earning.payout == Some(payout))
        {
            let amount = std::mem::take(&mut earning.in_payout);
            earning.stand = to;
            if arrived {
                earning.paid += amount;
            } else {
                earning.available += amount;
                earning.payout = None;
            }
        }
        self.close(purse);
        Ok(())
    }
}
