//! Chooses operations, does them on the database and in the model, and compares.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use handbill::clock::Timestamp;
use handbill::db::DbConnection;
use handbill::error::Error;
use handbill::ids::{AccountId, ApiKeyId, EarningId, Id, ProgramId, ReferralId};
use handbill::metadata::Metadata;
use handbill::money::{Cents, Currency};
use handbill::parse::Parse;
use handbill::{conversions, earnings, idempotency, payouts, referrals, refunds};
use serde_json::json;

use super::books::{Balance, Books, HOUR, Program, Signup, Stand, Told};
use crate::support::money::id;
use crate::support::{TestApp, a_signup};

const CURRENCIES: [&str; 3] = ["USD", "JPY", "PTS"];

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    who: String,
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = BigInt)]
    a: i64,
    #[diesel(sql_type = BigInt)]
    b: i64,
    #[diesel(sql_type = BigInt)]
    c: i64,
    #[diesel(sql_type = BigInt)]
    d: i64,
    #[diesel(sql_type = BigInt)]
    e: i64,
    #[diesel(sql_type = BigInt)]
    f: i64,
    #[diesel(sql_type = BigInt)]
    g: i64,
}

pub struct Player<'a> {
    app: &'a TestApp,
    conn: DbConnection,
    account: AccountId,
    key: ApiKeyId,
    programs: Vec<ProgramId>,
    ambassadors: Vec<String>,
    referrals: Vec<ReferralId>,
    books: Books,
    state: u64,
    played: BTreeMap<&'static str, [u64; 2]>,
}

impl<'a> Player<'a> {
    pub async fn sit_down(app: &'a TestApp, seed: u64) -> Self {
        let programs = [
            Program {
                basis_points: 1_000,
                hold_days: None,
                minimum: 500,
                reward: 0,
            },
            Program {
                basis_points: 2_505,
                hold_days: Some(7),
                minimum: 0,
                reward: 0,
            },
            Program {
                basis_points: 400,
                hold_days: None,
                minimum: 100,
                reward: 40,
            },
        ];
        let mut conn = app.database.connect();
        let mut player = Self {
            app,
            account: AccountId::from_outside(&word(&mut conn, "SELECT id AS word FROM accounts"))
                .expect("an id"),
            key: ApiKeyId::from_outside(&word(&mut conn, "SELECT id AS word FROM api_keys"))
                .expect("an id"),
            conn,
            programs: Vec::new(),
            ambassadors: Vec::new(),
            referrals: Vec::new(),
            books: Books {
                programs: programs.to_vec(),
                ambassadors: Vec::new(),
                referrals: Vec::new(),
                orders: BTreeMap::new(),
                refunds: BTreeMap::new(),
                earnings: Vec::new(),
                payouts: Vec::new(),
                qualified: BTreeMap::new(),
                now: app.app.clock.now().micros() / 1_000_000,
            },
            state: seed,
            played: BTreeMap::new(),
        };
        for (number, program) in programs.iter().enumerate() {
            player.recruit(number, program).await;
        }
        player
    }

    async fn recruit(&mut self, number: usize, program: &Program) {
        let rate = f64::from(i32::try_from(program.basis_points).expect("a rate")) / 100.0;
        let body = json!({
            "name": "P", "landing_url": "https://example.com/", "commission_rate": rate,
            "minimum_payout": program.minimum, "hold_days": program.hold_days.unwrap_or(0),
            "available_when": if program.hold_days.is_some() { "hold_days" } else { "verified" },
            "audience": if program.reward > 0 { "customers" } else { "ambassadors" },
        });
        let made = self.app.post("/api/v1/programs", body).await.ok();
        self.programs
            .push(ProgramId::from_outside(made["id"].as_str().expect("an id")).expect("an id"));
        if program.reward > 0 {
            let rule = json!({ "rule": {
                "commission": { "type": "percent", "basis_points": program.basis_points },
                "reward": { "type": "points", "amount": program.reward },
            } });
            let path = format!("/api/v1/programs/{}/rules", id(&made));
            self.app.post(&path, rule).await.ok();
        }
        for who in 0..3 {
            self.pass(1);
            let poster = match program.reward {
                0 => {
                    let student = self.app.a_student_of(&made).await;
                    self.app.a_poster_of(&student).await
                }
                _ => {
                    let customer = self.app.a_customer(&format!("{who}@example.com")).await;
                    let link = self.app.invited_by(&customer).await;
                    json!({ "id": link["poster_id"], "student_id": link["student_id"] })
                }
            };
            self.ambassadors
                .push(poster["student_id"].as_str().expect("an id").to_owned());
            self.books.ambassadors.push(number);
            let scan = self.app.a_scan_of(&poster).await;
            for friend in 0..8 {
                self.pass(1);
                let mut body = a_signup(&scan);
                body["email"] = json!(format!("{who}.{friend}@example.com"));
                let made = self.app.post("/api/v1/referrals", body).await.ok();
                let id = ReferralId::from_outside(made["id"].as_str().expect("an id"));
                self.referrals.push(id.expect("an id"));
                let ambassador = self.ambassadors.len() - 1;
                self.books.referrals.push((ambassador, Signup::Pending));
            }
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.app.wait(seconds);
        self.books.now += seconds;
    }

    /// Steele, Lea and Flood's generator: small, and the same everywhere.
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = usize::try_from((z ^ (z >> 31)) >> 1).expect("64 bits");
        number % limit.max(1)
    }

    fn amount(&mut self) -> i64 {
        let largest = [10, 1_000, 100_000][self.below(3)];
        i64::try_from(self.below(largest) + 1).expect("an amount")
    }

    pub async fn play(&mut self, turn: u64) {
        self.pass(1);
        let (name, told, done) = match self.below(100) {
            0..25 => self.sell().await,
            25..45 => self.refund().await,
            45..62 => self.decide().await,
            62..70 => self.report().await,
            70..80 => self.move_earning().await,
            80..84 => self.correct().await,
            84..88 => self.collect().await,
            88..95 => self.settle().await,
            _ => self.let_time_pass().await,
        };
        let done = match done {
            Ok(()) => Ok(()),
            Err(Error::Internal(cause)) => panic!("turn {turn}, {name}: {cause}"),
            Err(error) => Err(error.code()),
        };
        assert_eq!(done, told, "turn {turn}, {name}");
        self.played.entry(name).or_default()[usize::from(told.is_err())] += 1;
        self.compare_balances(turn, name);
        if turn % 50 == 49 {
            self.compare_earnings(&format!("turn {turn}, {name}"));
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut DbConnection, &AccountId, &ApiKeyId, Timestamp) -> Result<T, Error>
        + Send
        + 'static,
    ) -> Result<T, Error> {
        let (account, key) = (self.account.clone(), self.key.clone());
        self.app
            .app
            .db
            .write(move |conn, now| work(conn, &account, &key, now))
            .await
    }

    async fn sell(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn refund(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn decide(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn report(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn change_earning(
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

    async fn move_earning(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn correct(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn collect(&mut self) -> (&'static str, Told, Result<(), Error>) {
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

    async fn settle(&mut self) -> (&'static str, Told, Result<(), Error>) {
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
    fn payout(&self, place: usize) -> String {
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

    async fn let_time_pass(&mut self) -> (&'static str, Told, Result<(), Error>) {
        let hours = i64::try_from(self.below(100)).expect("hours");
        self.pass(hours * HOUR);
        self.books.release();
        let done = self.write(|conn, account, _, now| {
            while earnings::release::release_due(conn, account, now, 10)? == 10 {}
            Ok(())
        });
        ("time", Ok(()), done.await)
    }

    fn compare_balances(&mut self, turn: u64, name: &str) {
        let query = "SELECT ambassador_id AS who, currency AS what, pending AS a, available AS b, in_payout AS c, \
            paid AS d, owed_back AS e, transfers AS f, transfers AS g FROM balances";
        let rows: Vec<Row> = sql_query(query).load(&mut self.conn).expect("balances");
        let mut stored: BTreeMap<(usize, usize), Balance> = BTreeMap::new();
        for row in rows {
            let who = self
                .ambassadors
                .iter()
                .position(|one| *one == row.who)
                .expect("an ambassador");
            let what = CURRENCIES
                .iter()
                .position(|one| *one == row.what)
                .expect("a currency");
            stored.insert((who, what), [row.a, row.b, row.c, row.d, row.e]);
        }
        stored.retain(|_, balance| *balance != Balance::default());
        let mut told = self.books.balances();
        told.retain(|_, balance| *balance != Balance::default());
        assert_eq!(stored, told, "turn {turn}, {name}");
    }

    pub fn compare_earnings(&mut self, when: &str) {
        let query = "SELECT id AS who, status AS what, held AS a, available AS b, in_payout AS c, paid AS d, \
            set_off AS e, reversed AS f, clawed_back AS g FROM earnings ORDER BY id";
        let rows: Vec<Row> = sql_query(query).load(&mut self.conn).expect("earnings");
        assert_eq!(rows.len(), self.books.earnings.len(), "{when}");
        for (row, told) in rows.iter().zip(&self.books.earnings) {
            let stored = [row.a, row.b, row.c, row.d, row.e, row.f, row.g];
            let portions = [
                told.held,
                told.available,
                told.in_payout,
                told.paid,
                told.set_off,
                told.reversed,
                told.clawed_back,
            ];
            assert_eq!(
                (stored, &*row.what),
                (portions, stand(told.stand)),
                "{when}: {}",
                row.who
            );
        }
    }

    /// Every operation was done and refused often enough to mean something.
    pub fn all_was_played(&self) {
        for (name, [done, refused]) in &self.played {
            let is_refusable = !matches!(*name, "collect" | "time");
            assert!(
                *done > 20 && (*refused > 5 || !is_refusable),
                "{name}: {done} done, {refused} refused"
            );
        }
        assert_eq!(self.played.len(), 9);
        let owed: i64 = self
            .books
            .earnings
            .iter()
            .map(|earning| earning.set_off)
            .sum();
        assert!(owed > 0, "debts were set off");
        let rewards = self.books.earnings.iter().filter(|one| one.reward);
        let lost = rewards.clone().filter(|one| one.standing() == 0).count();
        assert!(
            rewards.count() > 5 && lost > 1,
            "rewards were given and lost"
        );
    }
}

fn cents(amount: i64) -> Cents {
    Cents::try_from(amount).expect("an amount")
}

fn stand(stand: Stand) -> &'static str {
    match stand {
        Stand::Pending => "pending",
        Stand::Processing => "processing",
        Stand::Paid => "paid",
        Stand::Failed => "failed",
    }
}

fn word(conn: &mut DbConnection, query: &str) -> String {
    let found: Vec<Word> = sql_query(query).load(conn).expect(query);
    found.into_iter().next().expect(query).word
}
