//! Verb: the money of earnings moves. An earning's portions and the ambassador's accounts change together, or not at
//! all: nothing else writes either.

use std::collections::BTreeMap;

use super::model::{Earning, EarningMove, EarningStatus, Portions};
use super::queries;
use super::view::EarningView;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::ids::{ApiKeyId, EarningId};
use crate::ledger::books::Books;
use crate::ledger::model::{Balance, Owner, Reason};
use crate::money::Currency;
use crate::status::forestalled;
use crate::text::{Line, Paragraph};

/// One ambassador's earnings in one currency, held until the transaction ends. Earnings are taken into it after it is
/// open, so that they are read as the last who held it left them.
#[derive(Debug)]
pub struct Purse {
    pub(super) books: Books,
    /// As it was read, and as it is now.
    pub(super) taken: BTreeMap<EarningId, (Earning, Earning)>,
    /// Those that are new.
    begun: Vec<EarningId>,
    moves: Vec<(EarningId, EarningStatus, EarningStatus, Option<Paragraph>)>,
    by: Option<ApiKeyId>,
    now: Timestamp,
}

impl Purse {
    /// Holds the ambassador's money in a currency; `by` is the key that asks, none for handbill itself.
    pub fn open(
        conn: &mut DbConnection,
        owner: &Owner,
        currency: &Currency,
        by: Option<&ApiKeyId>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            books: Books::open(conn, owner, currency, now)?,
            taken: BTreeMap::new(),
            begun: Vec::new(),
            moves: Vec::new(),
            by: by.cloned(),
            now,
        })
    }

    /// The ambassador's accounts as they are after what happened here.
    pub fn balance(&self) -> &Balance {
        self.books.balance()
    }

    /// Takes an earning in that was read after the purse was opened.
    pub fn take(&mut self, earning: Earning) {
        self.accept((earning.clone(), earning));
    }

    /// Takes an earning in as another purse left it: its currency has changed.
    pub fn accept(&mut self, (before, now): (Earning, Earning)) {
        self.taken.insert(before.id.clone(), (before, now));
    }

    /// Gives an earning away, as it was read and as it is now.
    pub fn give(&mut self, id: &EarningId) -> Result<(Earning, Earning), Error> {
        self.taken.remove(id).ok_or_else(|| not_taken(id))
    }

    /// An earning that was taken in, to be changed in what is not money.
    pub fn earning(&mut self, id: &EarningId) -> Result<&mut Earning, Error> {
        find(&mut self.taken, id)
    }

    /// Stores a new earning, all of it held. `false`: its idempotency key is taken, and nothing has happened.
    pub fn begin(&mut self, conn: &mut DbConnection, mut earning: Earning) -> Result<bool, Error> {
        earning.portions = Portions {
            held: earning.amount.get(),
            ..Portions::default()
        };
        if !queries::insert_if_new(conn, &earning)? {
            return Ok(false);
        }
        let held = earning.portions.held;
        self.books.post(Reason::Earned, held, &earning.id, None)?;
        self.begun.push(earning.id.clone());
        self.take(earning);
        Ok(true)
    }

    /// The amount of an earning is another one from now on, and all of it is held.
    pub fn earn_again(&mut self, id: &EarningId) -> Result<(), Error> {
        let earning = find(&mut self.taken, id)?;
        let amount = earning.amount.get();
        self.books.post(Reason::Earned, amount, id, None)?;
        earning.portions.held += amount;
        Ok(())
    }

    /// Undoes all that was booked of an earning that nobody was paid yet, so that its amount can be corrected.
    pub fn retract(&mut self, id: &EarningId) -> Result<(), Error> {
        self.end_payout(id, None)?;
        self.hold_again(id)?;
        let portions = &mut find(&mut self.taken, id)?.portions;
        self.books
            .post(Reason::Corrected, portions.held, id, None)?;
        portions.held = 0;
        Ok(())
    }

    /// The hold is over.
    pub fn release(&mut self, id: &EarningId) -> Result<(), Error> {
        let portions = &mut find(&mut self.taken, id)?.portions;
        self.books.post(Reason::Released, portions.held, id, None)?;
        portions.available += std::mem::take(&mut portions.held);
        Ok(())
    }

    /// What has not left is held again, as far as it stands: the rest has come back of a payout after others were set off
    /// for it, and is theirs.
    pub fn hold_again(&mut self, id: &EarningId) -> Result<(), Error> {
        let earning = find(&mut self.taken, id)?;
        let amount = earning.standing().min(earning.portions.available);
        let portions = &mut earning.portions;
        self.books.post(Reason::HeldAgain, amount, id, None)?;
        portions.available -= amount;
        portions.held += amount;
        Ok(())
    }

    /// Takes `amount` back: what is held first, then what has not left, then what has.
    pub fn reverse(
        &mut self,
        id: &EarningId,
        amount: i64,
        occasion: Option<&Line>,
    ) -> Result<(), Error> {
        let portions = &mut find(&mut self.taken, id)?.portions;
        let held = amount.min(portions.held);
        let available = (amount - held).min(portions.available);
        let left = amount - held - available;
        self.books
            .post(Reason::ReversedWhileHeld, held, id, occasion)?;
        self.books
            .post(Reason::ReversedBeforePayout, available, id, occasion)?;
        self.books.post(Reason::ClawedBack, left, id, occasion)?;
        portions.held -= held;
        portions.available -= available;
        portions.reversed += held + available;
        portions.clawed_back += left;
        Ok(())
    }

    /// What is available leaves. How much that is.
    pub fn start_payout(&mut self, id: &EarningId, occasion: Option<&Line>) -> Result<i64, Error> {
        let portions = &mut find(&mut self.taken, id)?.portions;
        let amount = std::mem::take(&mut portions.available);
        self.books
            .post(Reason::PayoutStarted, amount, id, occasion)?;
        portions.in_payout += amount;
        Ok(amount)
    }

    /// What has left has arrived.
    pub fn finish_payout(&mut self, id: &EarningId, occasion: Option<&Line>) -> Result<(), Error> {
        let portions = &mut find(&mut self.taken, id)?.portions;
        let amount = std::mem::take(&mut portions.in_payout);
        self.books.post(Reason::PayoutPaid, amount, id, occasion)?;
        portions.paid += amount;
        Ok(())
    }

    /// What has left has come back.
    pub fn end_payout(&mut self, id: &EarningId, occasion: Option<&Line>) -> Result<(), Error> {
        let portions = &mut find(&mut self.taken, id)?.portions;
        let amount = std::mem::take(&mut portions.in_payout);
        self.books.post(Reason::PayoutEnded, amount, id, occasion)?;
        portions.available += amount;
        Ok(())
    }

    /// Moves an earning's published status, and remembers that it did.
    pub fn step(
        &mut self,
        id: &EarningId,
        to: EarningStatus,
        note: Option<Paragraph>,
    ) -> Result<(), Error> {
        let now = self.now;
        let earning = find(&mut self.taken, id)?;
        let from = std::mem::replace(&mut earning.status, to);
        earning.paid_at = (to == EarningStatus::Paid).then_some(now);
        self.moves.push((id.clone(), from, to, note));
        Ok(())
    }

    /// Settles debts, ends the earnings of which nothing is left to pay, and writes everything. Returns the earnings
    /// that were taken in, oldest first. `note` says why those that end do.
    pub fn close(
        mut self,
        conn: &mut DbConnection,
        note: Option<&Paragraph>,
    ) -> Result<Vec<Earning>, Error> {
        self.settle_debts(conn)?;
        let ended: Vec<(EarningId, EarningStatus)> = self
            .taken
            .values()
            .filter_map(|(_, earning)| Some((earning.id.clone(), end(earning)?)))
            .collect();
        for (id, to) in ended {
            self.step(&id, to, note.cloned())?;
        }
        let mut earnings = Vec::with_capacity(self.taken.len());
        for (before, mut earning) in std::mem::take(&mut self.taken).into_values() {
            if earning != before {
                earning.updated_at = self.now;
                if !queries::advance(conn, &earning, before.status)? {
                    return Err(forestalled("earning"));
                }
            }
            earnings.push(earning);
        }
        self.note_down(conn, &earnings)?;
        self.tell(conn, &earnings)?;
        self.books.close(conn)?;
        Ok(earnings)
    }

    fn tell(&self, conn: &mut DbConnection, earnings: &[Earning]) -> Result<(), Error> {
        let begun = self.begun.iter().map(|id| (id, None));
        let moved = self.moves.iter().map(|(id, from, ..)| (id, Some(from)));
        let mut events = Vec::new();
        for (id, from) in begun.chain(moved) {
            let Some(earning) = earnings.iter().find(|earning| earning.id == *id) else {
                return Err(not_taken(id));
            };
            let kind = match from {
                None => EventKind::EarningCreated,
                Some(_) => EventKind::EarningStatusChanged,
            };
            let view = EarningView::from(earning.clone());
            let event = Event::new(&earning.account_id, kind, id.as_str(), &view, self.now)?;
            events.push(match from {
                None => event,
                Some(from) => event.after(from.as_str()),
            });
        }
        emit(conn, events)
    }

    fn note_down(&self, conn: &mut DbConnection, earnings: &[Earning]) -> Result<(), Error> {
        for (id, from, to, note) in &self.moves {
            let Some(earning) = earnings.iter().find(|earning| earning.id == *id) else {
                return Err(not_taken(id));
            };
            let step = EarningMove {
                account_id: earning.account_id,
                earning_id: id.clone(),
                position: queries::count_moves(conn, &earning.account_id, id)? + 1,
                from_status: *from,
                to_status: *to,
                moved_at: self.now,
                moved_by: self.by.clone(),
                note: note.clone(),
            };
            queries::insert_move(conn, &step)?;
        }
        Ok(())
    }
}

/// Where an earning ends of which nothing is left to pay.
fn end(earning: &Earning) -> Option<EarningStatus> {
    // What was set off against its own claw-back has brought nothing.
    let to = match earning.standing() > 0 {
        true => EarningStatus::Paid,
        false => EarningStatus::Failed,
    };
    let ends = earning.unpaid() == 0 && earning.status != to && earning.status.ends().contains(&to);
    ends.then_some(to)
}

/// An earning among those that were taken in.
pub(super) fn find<'a>(
    taken: &'a mut BTreeMap<EarningId, (Earning, Earning)>,
    id: &EarningId,
) -> Result<&'a mut Earning, Error> {
    let found = taken.get_mut(id).map(|(_, now)| now);
    found.ok_or_else(|| not_taken(id))
}

fn not_taken(id: &EarningId) -> Error {
    Error::internal(format!("{} was not taken into the purse", id.as_str()))
}
