//! Chooses operations, does them on the database and in the model, and compares.

mod compare;
mod moves;

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use handbill::clock::Timestamp;
use handbill::db::DbConnection;
use handbill::error::Error;
use handbill::ids::{AccountId, ApiKeyId, Id, ProgramId, ReferralId};
use handbill::money::Cents;
use serde_json::json;

use super::books::{Books, Program, Signup, Stand};
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
            account: app.database.account_named("default"),
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
        let (account, key) = (self.account, self.key.clone());
        self.app
            .app
            .db
            .write(move |conn, now| work(conn, &account, &key, now))
            .await
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
