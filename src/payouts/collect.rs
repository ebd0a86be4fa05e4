//! Verb: what is available is put into payouts.
//!
//! A run goes over the program's ambassadors a few at a time, each few in a transaction of its own, so that nobody has
//! to wait for a large program. How far it has come is stored with what it did: whoever finds a run that was left
//! behind goes on with it, and nobody is paid twice.

use super::model::{
    Collection, CollectionStatus, Foreseen, NewCollection, Payout, PayoutItem, PayoutStatus,
};
use super::view::PayoutView;
use super::{collection_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::earnings;
use crate::earnings::model::{Earning, EarningStatus};
use crate::earnings::purse::Purse;
use crate::error::Error;
use crate::events::emit::emit;
use crate::events::model::{Event, EventKind};
use crate::idempotency::{Recorded, Retry, once};
use crate::ids::{AccountId, AmbassadorId, ApiKeyId, CollectionId, Id, PayoutId, ProgramId, Tail};
use crate::ledger;
use crate::ledger::model::{Balance, Owner};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency, MAX_CENTS};
use crate::programs;
use crate::programs::model::Program;
use crate::text::Line;

/// How many ambassadors are paid in one transaction at most.
const AT_ONCE: i64 = 20;
/// How many earnings go into one payout at most; what is left goes into another one of the same run. Nobody else is paid
/// in a transaction that has got to so many.
const MOST_ITEMS: i64 = 1_000;

/// Begins a run, or finds the one that the same key began.
///
/// # Errors
/// [`Error::Invalid`] if the account has no such program; [`Error::Conflict`] if the key began another program's.
pub fn begin(
    conn: &mut DbConnection,
    account: &AccountId,
    new: &NewCollection,
    now: Timestamp,
) -> Result<Recorded<Collection>, Error> {
    once(
        conn,
        new.retry.as_ref(),
        |conn, key| Ok(collection_queries::find_by_key(conn, account, key)?),
        |conn| {
            program(conn, account, &new.program_id)?;
            let collection = Collection {
                account_id: *account,
                id: CollectionId::new(now),
                program_id: new.program_id.clone(),
                status: CollectionStatus::Collecting,
                reached: None,
                idempotency_key: Retry::key(new.retry.as_ref()),
                idempotency_fingerprint: Retry::fingerprint(new.retry.as_ref()),
                created_at: now,
                updated_at: now,
            };
            Ok(collection_queries::insert_if_new(conn, &collection)?.then_some(collection))
        },
    )
}

/// Goes on with a run: pays the next few ambassadors. `by` is the key that asked, none for a schedule. The run as it
/// is after that.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such run.
pub fn go_on(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &CollectionId,
    by: Option<&ApiKeyId>,
    now: Timestamp,
) -> Result<Collection, Error> {
    let mut collection = collection_queries::find_to_change(conn, account, id)?
        .ok_or(Error::NotFound(CollectionId::NOUN))?;
    if collection.status == CollectionStatus::Collected {
        return Ok(collection);
    }
    let program = program(conn, account, &collection.program_id)?;
    let reached = collection.reached.as_ref();
    let balances = ledger::queries::list_of_program(conn, account, &program.id, reached, AT_ONCE)?;
    if balances.is_empty() {
        collection.status = CollectionStatus::Collected;
    }
    let mut step = Step {
        collection: id,
        program: &program,
        begun: queries::find_last_paid(conn, account, id)?,
        by,
        now,
        payouts: 0,
        earnings: 0,
    };
    // An ambassador with several currencies is reached when all of them are paid.
    for balances in balances.chunk_by(|one, other| one.ambassador_id == other.ambassador_id) {
        if step.earnings >= MOST_ITEMS || !step.pay_all(conn, balances)? {
            break;
        }
        collection.reached = balances.last().map(|last| last.ambassador_id.clone());
    }
    collection.updated_at = now;
    collection_queries::update(conn, &collection)?;
    Ok(collection)
}

/// What the next run would pay: the payouts of the next few ambassadors behind `after`, and the last ambassador that
/// was looked at.
pub fn foresee(
    conn: &mut DbConnection,
    program: &Program,
    after: Option<&AmbassadorId>,
) -> Result<(Vec<Foreseen>, Option<AmbassadorId>), Error> {
    let (account, id) = (&program.account_id, &program.id);
    let balances = ledger::queries::list_of_program(conn, account, id, after, AT_ONCE)?;
    let last = balances.last().map(|balance| balance.ambassador_id.clone());
    let mut foreseen = Vec::new();
    for mut balance in balances {
        let mut paid = None;
        while is_due(&balance, program, paid.is_some()) {
            let payable =
                earnings::queries::list_payable_amounts(conn, &balance, paid.as_ref(), MOST_ITEMS)?;
            let (count, amount) = fill(payable.iter().map(|(_, available)| *available));
            let Some((id, _)) = count.checked_sub(1).and_then(|last| payable.get(last)) else {
                break;
            };
            paid = Some(id.clone());
            balance.available -= amount;
            foreseen.push(Foreseen {
                ambassador_id: balance.ambassador_id.clone(),
                currency: balance.currency.clone(),
                amount,
            });
        }
    }
    Ok((foreseen, last))
}

/// Whether there is anything to pay, and at least the program's minimum if that is in this currency. What is left after
/// the first payout of a run (`goes_on`) was counted for the minimum already. Points are no money.
fn is_due(balance: &Balance, program: &Program, goes_on: bool) -> bool {
    let minimum = match balance.currency == program.payout_currency && !goes_on {
        true => program.minimum_payout.get().max(1),
        false => 1,
    };
    !balance.currency.is_points() && balance.available >= minimum
}

/// How many of the amounts go into one payout, and what they add up to.
fn fill(amounts: impl Iterator<Item = i64>) -> (usize, i64) {
    let (mut count, mut total) = (0, 0);
    for amount in amounts {
        if total + amount > MAX_CENTS {
            break;
        }
        count += 1;
        total += amount;
    }
    (count, total)
}

/// What happens of a run in one transaction.
struct Step<'a> {
    collection: &'a CollectionId,
    program: &'a Program,
    /// Whom the run has paid last, and in what: if there is more of that, it is paid too.
    begun: Option<(AmbassadorId, Currency)>,
    by: Option<&'a ApiKeyId>,
    now: Timestamp,
    /// How many were made.
    payouts: i64,
    /// How many earnings are in them.
    earnings: i64,
}

impl Step<'_> {
    /// Pays an ambassador what is due in each currency. `false`: that was not all of it.
    fn pay_all(&mut self, conn: &mut DbConnection, balances: &[Balance]) -> Result<bool, Error> {
        for balance in balances {
            let goes_on = self.begun.as_ref().is_some_and(|(ambassador, currency)| {
                (ambassador, currency) == (&balance.ambassador_id, &balance.currency)
            });
            if is_due(balance, self.program, goes_on) && self.pay(conn, balance, goes_on)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes a payout of what is available. Whether that was not all of it.
    fn pay(
        &mut self,
        conn: &mut DbConnection,
        seen: &Balance,
        goes_on: bool,
    ) -> Result<bool, Error> {
        let owner = Owner {
            account_id: seen.account_id,
            program_id: seen.program_id.clone(),
            ambassador_id: seen.ambassador_id.clone(),
        };
        let mut purse = Purse::open(conn, &owner, &seen.currency, self.by, self.now)?;
        // It may have changed while somebody else held it.
        if !is_due(purse.balance(), self.program, goes_on) {
            return Ok(false);
        }
        let payable = earnings::queries::list_payable(conn, purse.balance(), None, MOST_ITEMS)?;
        if payable.is_empty() {
            // Somebody has changed a row by hand; the others are paid all the same.
            let (whose, currency) = (seen.ambassador_id.as_str(), seen.currency.as_str());
            log::error!("what {whose} has available in {currency} is in no earning; passed over");
            return Ok(false);
        }
        self.payouts += 1;
        // In the order of the ambassadors, though they share a moment.
        let id = PayoutId::with_tail(self.now, &Tail::numbered(self.payouts));
        let (count, total) = fill(payable.iter().map(|earning| earning.portions.available));
        let mut items = Vec::with_capacity(count);
        for earning in payable.into_iter().take(count) {
            items.push(item(&mut purse, earning, &id)?);
            self.earnings += 1;
        }
        let payout = self.payout(id, owner, &seen.currency, total)?;
        queries::insert(conn, &payout, &items)?;
        let (account, kind) = (&payout.account_id, EventKind::PayoutCreated);
        let view = PayoutView::from(payout.clone());
        let event = Event::new(account, kind, payout.id.as_str(), &view, payout.created_at)?;
        emit(conn, vec![event])?;
        let has_more = is_due(purse.balance(), self.program, true);
        purse.close(conn, None)?;
        Ok(has_more)
    }

    fn payout(
        &self,
        id: PayoutId,
        owner: Owner,
        currency: &Currency,
        total: i64,
    ) -> Result<Payout, Error> {
        Ok(Payout {
            account_id: owner.account_id,
            id,
            collection_id: self.collection.clone(),
            program_id: owner.program_id,
            ambassador_id: owner.ambassador_id,
            amount: Cents::try_from(total).map_err(|_| Error::internal("a payout out of range"))?,
            currency: currency.clone(),
            status: PayoutStatus::Processing,
            reference_id: None,
            failure_reason: None,
            metadata: Metadata::default(),
            paid_at: None,
            created_at: self.now,
            updated_at: self.now,
        })
    }
}

/// Puts what is available of an earning into a payout.
fn item(purse: &mut Purse, earning: Earning, payout: &PayoutId) -> Result<PayoutItem, Error> {
    let (account_id, id, status) = (earning.account_id, earning.id.clone(), earning.status);
    purse.take(earning);
    let amount = purse.start_payout(&id, Some(&Line::cut(payout.as_str())))?;
    if status != EarningStatus::Processing {
        purse.step(&id, EarningStatus::Processing, None)?;
    }
    Ok(PayoutItem {
        account_id,
        payout_id: payout.clone(),
        earning_id: id,
        amount,
        live: 1,
    })
}

/// The account's program.
///
/// # Errors
/// [`Error::Invalid`] if there is none.
pub fn program(
    conn: &mut DbConnection,
    account: &AccountId,
    id: &ProgramId,
) -> Result<Program, Error> {
    programs::queries::find(conn, account, id)?
        .ok_or_else(|| Error::no_such("program_id", ProgramId::NOUN))
}
