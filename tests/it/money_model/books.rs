//! The money as it should be, told without a database, without transfers and without the program's code: every earning
//! knows where its units are, and balances are nothing but sums over earnings.

mod orders;
mod payouts;

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
}

impl Earning {
    pub fn standing(&self) -> i64 {
        self.amount - self.reversed - self.clawed_back
    }
}
