//! The money as it should be, told without a database, without transfers and without the program's code: every earning
//! knows where its units are, and balances are nothing but sums over earnings.

use std::collections::BTreeMap;

pub const HOUR: i64 = 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    Pending,
    Processing,
    Paid,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signup {
    Pending,
    Converted,
    Verified,
    Rejected,
}

/// (ambassador, currency)
pub type Purse = (usize, usize);
/// pending, available, in payout, paid, owed back
pub type Balance = [i64; 5];

#[derive(Debug, Clone)]
pub struct Earning {
    pub referral: usize,
    pub purse: Purse,
    pub order: Option<usize>,
    pub reported: bool,
    /// For a referral that qualified.
    pub reward: bool,
    pub created: i64,
    pub amount: i64,
    pub held: i64,
    pub available: i64,
    pub in_payout: i64,
    pub paid: i64,
    pub set_off: i64,
    pub reversed: i64,
    pub clawed_back: i64,
    pub stand: Stand,
    /// When it becomes available by itself, in programs that hold for days.
    pub free_at: Option<i64>,
    pub replaced: bool,
    pub payout: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub referral: usize,
    pub amount: i64,
    pub currency: usize,
    pub commission: i64,
    pub refunded: i64,
    pub at: i64,
    /// How many orders had been reported before.
    pub rank: usize,
}

#[derive(Debug, Clone)]
pub struct Refund {
    pub order: usize,
    pub amount: Option<i64>,
    pub waits: bool,
}

#[derive(Debug, Clone)]
pub struct Program {
    pub basis_points: i64,
    pub hold_days: Option<i64>,
    pub minimum: i64,
    /// Points for a referral whose first payment is not all given back.
    pub reward: i64,
}

/// The currency of points.
pub const POINTS: usize = 2;

#[derive(Debug, Clone)]
pub struct Books {
    pub programs: Vec<Program>,
    /// Each ambassador's program.
    pub ambassadors: Vec<usize>,
    /// Each referral's ambassador, and where it stands.
    pub referrals: Vec<(usize, Signup)>,
    pub orders: BTreeMap<usize, Order>,
    pub refunds: BTreeMap<usize, Refund>,
    pub earnings: Vec<Earning>,
    pub payouts: Vec<(Purse, Stand)>,
    /// The referrals that qualified, and by which order.
    pub qualified: BTreeMap<usize, usize>,
    pub now: i64,
}

/// What a refused operation is refused with.
pub type Told = Result<(), &'static str>;

impl Books {
    fn program_of(&self, referral: usize) -> &Program {
        &self.programs[self.ambassadors[self.referrals[referral].0]]
    }

    pub fn balances(&self) -> BTreeMap<Purse, Balance> {
        let mut balances = BTreeMap::new();
        for earning in &self.earnings {
            let balance: &mut Balance = balances.entry(earning.purse).or_default();
            balance[0] += earning.held;
            balance[1] += earning.available;
            balance[2] += earning.in_payout;
            balance[3] += earning.paid;
            balance[4] += earning.clawed_back - earning.set_off;
        }
        balances
    }

    fn balance(&self, purse: Purse) -> Balance {
        self.balances().get(&purse).copied().unwrap_or_default()
    }

    fn of(&mut self, purse: Purse) -> impl Iterator<Item = &mut Earning> {
        self.earnings
            .iter_mut()
            .filter(move |earning| earning.purse == purse)
    }

    fn set_off(&mut self, purse: Purse) {
        let mut owed = self.balance(purse)[4];
        for earning in self.of(purse) {
            let amount = owed.min(earning.available);
            earning.available -= amount;
            earning.set_off += amount;
            owed -= amount;
        }
    }

    /// What follows from every change: debts come first, and what has nothing left to pay ends.
    fn close(&mut self, purse: Purse) {
        self.set_off(purse);
        for earning in self.of(purse) {
            let left = earning.held + earning.available + earning.in_payout;
            if left == 0 && matches!(earning.stand, Stand::Pending | Stand::Failed) {
                let arrived = earning.standing() > 0;
                earning.stand = if arrived { Stand::Paid } else { Stand::Failed };
            }
        }
    }

    fn earn(
        &mut self,
        referral: usize,
        currency: usize,
        amount: i64,
        from: i64,
        order: Option<usize>,
        reported: bool,
    ) {
        let (ambassador, signup) = self.referrals[referral];
        let free_at = self
            .program_of(referral)
            .hold_days
            .map(|days| from + days * 24 * HOUR);
        let free = free_at.map_or(signup == Signup::Verified, |at| at <= self.now);
        self.earnings.push(Earning {
            referral,
            purse: (ambassador, currency),
            order,
            reported,
            reward: false,
            created: self.now,
            amount,
            held: if free { 0 } else { amount },
            available: if free { amount } else { 0 },
            in_payout: 0,
            paid: 0,
            set_off: 0,
            reversed: 0,
            clawed_back: 0,
            stand: Stand::Pending,
            free_at,
            replaced: false,
            payout: None,
        });
        self.close((ambassador, currency));
    }

    /// The reward of a referral that has not qualified, if its first order is enough.
    fn judge(&mut self, referral: usize) {
        let reward = self.program_of(referral).reward;
        let first = self
            .orders
            .iter()
            .filter(|(_, order)| order.referral == referral)
            .min_by_key(|(_, order)| order.rank);
        let Some((number, order)) = first else { return };
        let (number, at) = (*number, order.at);
        let is_met =
            order.refunded < order.amount && self.referrals[referral].1 != Signup::Rejected;
        if reward > 0 && is_met && !self.qualified.contains_key(&referral) {
            self.qualified.insert(referral, number);
            self.earn(referral, POINTS, reward, at, None, false);
            self.earnings.last_mut().expect("a reward").reward = true;
        }
    }

    /// Whether the order that has qualified a referral was given back.
    fn is_lost(&self, referral: usize) -> bool {
        let order = self
            .qualified
            .get(&referral)
            .map(|number| &self.orders[number]);
        order.is_some_and(|order| order.refunded == order.amount)
    }

    fn take_back(earning: &mut Earning, amount: i64) {
        let held = amount.min(earning.held);
        let available = (amount - held).min(earning.available);
        earning.held -= held;
        earning.available -= available;
        earning.reversed += held + available;
        earning.clawed_back += amount - held - available;
    }

    fn due(order: &Order) -> i64 {
        let kept = i128::from(order.commission) * i128::from(order.amount - order.refunded);
        i64::try_from(kept / i128::from(order.amount)).expect("an amount")
    }

    fn standing(&self, order: usize) -> i64 {
        let of_order = self
            .earnings
            .iter()
            .filter(|earning| earning.order == Some(order));
        of_order.map(Earning::standing).sum()
    }

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

    fn apply(&mut self, key: usize) -> Told {
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
                    earning.held += std::mem::take(&mut earning.available);
                }
                _ => {}
            }
        }
        self.close_of(referral);
        Ok(())
    }

    fn close_of(&mut self, referral: usize) {
        for currency in 0..3 {
            self.close((self.referrals[referral].0, currency));
        }
    }

    fn reinstate(&mut self, referral: usize) {
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

impl Earning {
    pub fn standing(&self) -> i64 {
        self.amount - self.reversed - self.clawed_back
    }
}
