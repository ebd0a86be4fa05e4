//! The operations: each is done on the database and in the model.

use handbill::clock::Timestamp;
use handbill::error::Error;
use handbill::ids::{EarningId, Id};
use handbill::metadata::Metadata;
use handbill::money::Currency;
use handbill::parse::Parse;
use handbill::{conversions, earnings, idempotency, payouts, referrals, refunds};

use super::super::books::{HOUR, Signup, Stand, Told};
use super::{CURRENCIES, Player, cents, word};

impl Player<'_> {
    pub async fn sell(&mut self) -> (&'static str, Told, Result<(), Error>) {
        use conversions::model::{Buyer, ConversionKind, NewConversion};
        let known = self.books.orders.len();
        let again = known > 0 && self.below(10) == 0;
        let number = if again {
            self.below(known)
        } else {
            known + self.below(3)
        };
        let (mut referral, mut currency, mut amount) = (
            self.below(self.referrals.len()),
            self.below(2),
            self.amount(),
        );
        if let Some(order) = self
            .books
            .orders
            .get(&number)
            .filter(|_| self.state.is_multiple_of(2))
        {
            (referral, currency, amount) = (order.referral, order.currency, order.amount);
        }
        let at = self.books.now - i64::try_from(self.below(20)).expect("days") * 24 * HOUR;
        let told = self.books.sell(number, referral, currency, amount, at);
        let new = NewConversion {
            buyer: Buyer::Referral(self.referrals[referral].clone()),
            coupon_code: None,
            program_id: None,
            order_id: Parse::parse(&format!("order_{number}")).expect("an order"),
            kind: ConversionKind::Purchase,
            amount: cents(amount),
            currency: Some(Currency::parse(CURRENCIES[currency]).expect("a currency")),
            occurred_at: Some(Timestamp::from_micros(at * 1_000_000)),
            metadata: Metadata::default(),
            retry: None,
            fingerprint: format!("{referral} {currency} {amount}"),
        };
        let done = self.write(move |conn, account, by, now| {
            conversions::record::record(conn, account, by, &new, now).map(drop)
        });
        ("sell", told, done.await)
    }

    pub async fn refund(&mut self) -> (&'static str, Told, Result<(), Error>) {
        let known = self.books.refunds.len();
        let number = self.below(self.books.orders.len() + 2);
        let left = self
            .books
            .orders
            .get(&number)
            .map_or(1_000, |order| order.amount - order.refunded);
        let left = usize::try_from(left).expect("an amount");
        let amount = match self.below(4) {
            0 => None,
            1 => Some(
                i64::try_from(left + self.below(2))
                    .expect("an amount")
                    .max(1),
            ),
            _ => Some(i64::try_from(self.below(left) + 1).expect("an amount")),
        };
        // The same again, word for word.
        let replay = known > 0 && self.below(8) == 0;
        let told = match replay {
            true => Ok(()),
            false => self.books.refund(known, number, amount),
        };
        let key = if replay { self.below(known) } else { known };
        let order = if replay {
            self.books.refunds[&key].order
        } else {
            number
        };
        let new = refunds::model::NewRefund {
            order_id: Parse::parse(&format!("order_{order}")).expect("an order"),
            amount: amount.map(cents),
            currency: None,
            reason: None,
            metadata: Metadata::default(),
            retry: idempotency::Retry {
                key: Parse::parse(&format!("refund_{key}")).expect("a key"),
                fingerprint: format!("{key}"),
            },
        };
        let done = self.write(move |conn, account, by, now| {
            refunds::record::record(conn, account, by, &new, now).map(drop)
        });
        ("refund", told, done.await)
    }

    pub async fn decide(&mut self) -> (&'static str, Told, Result<(), Error>) {
        use referrals::model::{ReferralChanges, ReferralStatus};
        let referral = self.below(self.referrals.len());
        let (to, status) = [
            (Signup::Pending, ReferralStatus::Pending),
            (Signup::Converted, ReferralStatus::Converted),
            (Signup::Verified, ReferralStatus::Verified),
            (Signup::Rejected, ReferralStatus::Rejected),
        ][self.below(4)];
        let told = self.books.decide(referral, to);
        let id = self.referrals[referral].clone();
        let changes = ReferralChanges {
            status: Some(status),
            ..ReferralChanges::default()
        };
        let done = self.write(move |conn, account, by, now| {
            referrals::decide::decide(conn, account, by, &id, &changes, now).map(drop)
        });
        ("decide", told, done.await)
    }

    pub async fn report(&mut self) -> (&'static str, Told, Result<(), Error>) {
        let (referral, currency, amount) = (
            self.below(self.referrals.len()),
            self.below(2),
            self.amount(),
        );
        let told = self.books.report(referral, currency, amount);
        let new = earnings::model::NewEarning {
            referral_id: self.referrals[referral].clone(),
            amount: cents(amount),
            currency: Some(Currency::parse(CURRENCIES[currency]).expect("a currency")),
            kind: None,
            description: None,
            metadata: Metadata::default(),
            retry: None,
        };
        let done = self.write(move |conn, account, by, now| {
            earnings::accrue::accrue(conn, account, by, &EarningId::new(now), &new, now).map(drop)
        });
        ("report", told, done.await)
    }

    pub async fn change_earning(
        &mut self,
        place: usize,
        changes: earnings::model::EarningChanges,
    ) -> Result<(), Error> {
        let query = format!("SELECT id AS word FROM earnings ORDER BY id LIMIT 1 OFFSET {place}");
        let id = EarningId::from_outside(&word(&mut self.conn, &query)).expect("an id");
        self.write(move |conn, account, by, now| {
            earnings::settle::settle(conn, account, by, &id, &changes, now).map(drop)
        })
        .await
    }

    pub async fn move_earning(&mut self) -> (&'static str, Told, Result<(), Error>) {
        use earnings::model::{EarningChanges, EarningStatus};
        if self.books.earnings.is_empty() {
            return ("move", Ok(()), Ok(()));
        }
        // The latest have most to do.
        let count = self.books.earnings.len();
        let place = count - 1 - self.below(count.min(40));
        let (to, status) = [
            (Stand::Pending, EarningStatus::Pending),
            (Stand::Processing, EarningStatus::Processing),
            (Stand::Paid, EarningStatus::Paid),
            (Stand::Failed, EarningStatus::Failed),
        ][self.below(4)];
        let told = self.books.move_earning(place, to);
        let changes = EarningChanges {
            status: Some(status),
            ..EarningChanges::default()
        };
        ("move", told, self.change_earning(place, changes).await)
    }

    pub async fn correct(&mut self) -> (&'static str, Told, Result<(), Error>) {
        use earnings::model::EarningChanges;
        if self.books.earnings.is_empty() {
            return ("correct", Ok(()), Ok(()));
        }
        let count = self.books.earnings.len();
        let (place, amount) = (count - 1 - self.below(count.min(20)), self.amount());
        let told = self.books.correct(place, amount);
        let changes = EarningChanges {
            amount: Some(cents(amount)),
            ..EarningChanges::default()
        };
        ("correct", told, self.change_earning(place, changes).await)
    }

    pub async fn collect(&mut self) -> (&'static str, Told, Result<(), Error>) {
        use payouts::model::{CollectionStatus, NewCollection};
        let program = self.below(self.programs.len());
        self.books.collect(program);
        let new = NewCollection {
            program_id: self.programs[program].clone(),
            retry: None,
        };
        let done = self.write(move |conn, account, by, now| {
            let idempotency::Recorded::New(mut run) =
                payouts::collect::begin(conn, account, &new, now)?
            else {
                return Err(Error::internal("a run without a key was there before"));
            };
            while run.status == CollectionStatus::Collecting {
                run = payouts::collect::go_on(conn, account, &run.id, Some(by), now)?;
            }
            Ok(())
        });
        ("collect", Ok(()), done.await)
    }

    pub async fn settle(&mut self) -> (&'static str, Told, Result<(), Error>) {
        use payouts::model::{PayoutChanges, PayoutStatus};
        if self.books.payouts.is_empty() {
            return ("settle", Ok(()), Ok(()));
        }
        let count = self.books.payouts.len();
        let place = count - 1 - self.below(count.min(12));
        let arrived = self.below(2) == 0;
        let told = self.books.settle(place, arrived);
        let query = self.payout(place);
        let id =
            handbill::ids::PayoutId::from_outside(&word(&mut self.conn, &query)).expect("an id");
        let status = if arrived {
            PayoutStatus::Paid
        } else {
            PayoutStatus::Failed
        };
        let changes = PayoutChanges {
            status: Some(status),
            ..PayoutChanges::default()
        };
        let done = self.write(move |conn, account, by, now| {
            payouts::settle::settle(conn, account, by, &id, &changes, now).map(drop)
        });
        ("settle", told, done.await)
    }

    /// The payouts of one run share their moment: among them, ambassador and currency tell which is which.
    pub fn payout(&self, place: usize) -> String {
        let (ambassador, currency) = self.books.payouts[place].0;
        let before = self.books.payouts[..place]
            .iter()
            .filter(|(purse, _)| *purse == (ambassador, currency))
            .count();
        format!(
            "SELECT id AS word FROM payouts WHERE ambassador_id = '{}' AND currency = '{}' ORDER BY id LIMIT 1 OFFSET {before}",
            self.ambassadors[ambassador], CURRENCIES[currency]
        )
    }

    pub async fn let_time_pass(&mut self) -> (&'static str, Told, Result<(), Error>) {
        let hours = i64::try_from(self.below(100)).expect("hours");
        self.pass(hours * HOUR);
        self.books.release();
        let done = self.write(|conn, account, _, now| {
            while earnings::release::release_due(conn, account, now, 10)? == 10 {}
            Ok(())
        });
        ("time", Ok(()), done.await)
    }
}
