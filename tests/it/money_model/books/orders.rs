//! Orders, refunds, and what becomes of them when a signup is decided.

use super::{Books, Order, POINTS, Refund, Signup, Told};

impl Books {
    pub fn report(&mut self, referral: usize, currency: usize, amount: i64) -> Told {
        if self.referrals[referral].1 == Signup::Rejected {
            return Err("referral_rejected");
        }
        self.earn(referral, currency, amount, self.now, None, true);
        Ok(())
    }

    pub fn sell(
        &mut self,
        number: usize,
        referral: usize,
        currency: usize,
        amount: i64,
        at: i64,
    ) -> Told {
        if let Some(known) = self.orders.get(&number) {
            let same =
                (known.referral, known.currency, known.amount) == (referral, currency, amount);
            return if same { Ok(()) } else { Err("order_id_reused") };
        }
        let before = self.clone();
        let points = self.program_of(referral).basis_points;
        let commission = amount * points / 10_000;
        let order = Order {
            referral,
            amount,
            currency,
            commission,
            refunded: 0,
            at,
            rank: self.orders.len(),
        };
        self.orders.insert(number, order);
        if self.referrals[referral].1 == Signup::Pending {
            self.referrals[referral].1 = Signup::Converted;
        }
        if commission > 0 && self.referrals[referral].1 != Signup::Rejected {
            self.earn(referral, currency, commission, at, Some(number), false);
        }
        // Only the first order decides.
        if !self
            .orders
            .values()
            .any(|other| other.referral == referral && other.rank + 1 < self.orders.len())
        {
            self.judge(referral);
        }
        let waiting: Vec<usize> = self
            .refunds
            .iter()
            .filter(|(_, one)| one.order == number && one.waits)
            .map(|(key, _)| *key)
            .collect();
        for key in waiting {
            if let Err(told) = self.apply(key) {
                *self = before;
                return Err(told);
            }
        }
        Ok(())
    }

    pub fn apply(&mut self, key: usize) -> Told {
        let number = self.refunds[&key].order;
        let asked = self.refunds[&key].amount;
        let order = self.orders.get_mut(&number).expect("an order");
        let left = order.amount - order.refunded;
        let amount = asked.unwrap_or(left);
        if left == 0 || amount > left {
            return Err("refund_exceeds_order");
        }
        order.refunded += amount;
        let due = Self::due(order);
        let purse = (self.referrals[order.referral].0, order.currency);
        let mut excess = (self.standing(number) - due).max(0);
        for earning in self
            .earnings
            .iter_mut()
            .rev()
            .filter(|earning| earning.order == Some(number))
        {
            let amount = earning.standing().min(excess);
            Self::take_back(earning, amount);
            excess -= amount;
        }
        let refund = self.refunds.get_mut(&key).expect("a refund");
        (refund.waits, refund.amount) = (false, Some(amount));
        self.close(purse);
        let referral = self.orders[&number].referral;
        if self.is_lost(referral) {
            for earning in self
                .earnings
                .iter_mut()
                .filter(|one| one.reward && one.referral == referral)
            {
                Self::take_back(earning, earning.standing());
            }
            self.close((purse.0, POINTS));
        }
        Ok(())
    }

    pub fn refund(&mut self, key: usize, order: usize, amount: Option<i64>) -> Told {
        let before = self.clone();
        self.refunds.insert(
            key,
            Refund {
                order,
                amount,
                waits: true,
            },
        );
        if self.orders.contains_key(&order) {
            let told = self.apply(key);
            if told.is_err() {
                *self = before;
            }
            return told;
        }
        Ok(())
    }

    pub fn decide(&mut self, referral: usize, to: Signup) -> Told {
        let from = self.referrals[referral].1;
        let allowed = match from {
            _ if from == to => return Ok(()),
            Signup::Pending => true,
            Signup::Converted => matches!(to, Signup::Verified | Signup::Rejected),
            Signup::Verified => matches!(to, Signup::Converted | Signup::Rejected),
            Signup::Rejected => to == Signup::Pending,
        };
        if !allowed {
            return Err("forbidden_transition");
        }
        self.referrals[referral].1 = to;
        if from == Signup::Rejected {
            self.reinstate(referral);
            return Ok(());
        }
        for earning in self
            .earnings
            .iter_mut()
            .filter(|earning| earning.referral == referral)
        {
            match (from, to) {
                (_, Signup::Rejected) => Self::take_back(earning, earning.standing()),
                (_, Signup::Verified) if earning.free_at.is_none() => {
                    earning.available += std::mem::take(&mut earning.held);
                }
                (Signup::Verified, _) if earning.free_at.is_none() => {
                    let ours = earning.standing().min(earning.available);
                    earning.available -= ours;
                    earning.held += ours;
                }
                _ => {}
            }
        }
        self.close_of(referral);
        Ok(())
    }

    pub fn close_of(&mut self, referral: usize) {
        for currency in 0..3 {
            self.close((self.referrals[referral].0, currency));
        }
    }

    pub fn reinstate(&mut self, referral: usize) {
        let mut orders: Vec<(usize, Order)> = self.orders.clone().into_iter().collect();
        orders.sort_by_key(|(_, order)| order.rank);
        for (number, order) in orders {
            let lacking = Self::due(&order) - self.standing(number);
            if order.referral == referral && lacking > 0 {
                self.earn(
                    referral,
                    order.currency,
                    lacking,
                    order.at,
                    Some(number),
                    false,
                );
            }
        }
        // By the currencies' names: JPY, PTS, USD.
        let is_lost = self.is_lost(referral);
        for currency in [1, POINTS, 0] {
            for place in 0..self.earnings.len() {
                let earning = &mut self.earnings[place];
                let lost = earning.reversed + earning.clawed_back;
                let ours = earning.referral == referral && earning.purse.1 == currency;
                let again = earning.order.is_none() && !(earning.reward && is_lost);
                if ours && again && !earning.replaced && lost > 0 {
                    earning.replaced = true;
                    let (created, reward) = (earning.created, earning.reward);
                    self.earn(referral, currency, lost, created, None, !reward);
                    self.earnings.last_mut().expect("an earning").reward = reward;
                }
            }
        }
        self.judge(referral);
    }
}
