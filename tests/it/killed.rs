//! A server that is killed in the middle of purchases, refunds and payouts, again and again: what it acknowledged is
//! there once, and everything adds up.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::command_line::handbill;
use crate::support::process::Process;
use crate::support::{Database, TestApp};

/// How often the server is killed, per database; the long run is for nights.
const KILLS: u64 = 10;

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    orders: Mutex<Vec<String>>,
    refunds: Mutex<Vec<String>>,
    paid: Mutex<Vec<String>>,
}

struct Load<'a> {
    client: reqwest::Client,
    base: &'a str,
    key: &'a str,
    referrals: &'a [Value],
    program: &'a Value,
    acknowledged: &'a Acknowledged,
}

impl Load<'_> {
    /// The answer, if there was one.
    async fn send(&self, method: reqwest::Method, path: &str, body: Value) -> Option<(u16, Value)> {
        let request = self
            .client
            .request(method, format!("{}/api/v1/{path}", self.base));
        let answer = request
            .bearer_auth(self.key)
            .json(&body)
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    async fn buy(&self, cycle: u64, worker: usize) {
        for turn in 0.. {
            let order = format!("o{cycle}_{worker}_{turn}");
            let referral = &self.referrals[(turn * 7 + worker) % self.referrals.len()];
            let body =
                json!({ "referral_id": referral["id"], "order_id": order, "amount": 1000 + turn });
            match self.send(reqwest::Method::POST, "conversions", body).await {
                Some((200, _)) => self
                    .acknowledged
                    .orders
                    .lock()
                    .expect("a lock")
                    .push(order.clone()),
                Some((503, _)) => {}
                Some((status, answer)) => panic!("{status} {answer}"),
                None => return,
            }
            if turn % 3 == 0 {
                let body = json!({ "order_id": order, "amount": 500, "idempotency_key": order });
                match self.send(reqwest::Method::POST, "refunds", body).await {
                    Some((200, _)) => self
                        .acknowledged
                        .refunds
                        .lock()
                        .expect("a lock")
                        .push(order),
                    Some((503, _)) => {}
                    Some((status, answer)) => panic!("{status} {answer}"),
                    None => return,
                }
            }
        }
    }

    async fn pay(&self) {
        loop {
            let body = json!({ "program_id": self.program });
            let Some((status, run)) = self
                .send(reqwest::Method::POST, "payouts:collect", body)
                .await
            else {
                return;
            };
            assert!(matches!(status, 200 | 503), "{status} {run}");
            for payout in run["payouts"].as_array().into_iter().flatten() {
                let id = payout["id"].as_str().expect("an id");
                let to = if id.ends_with(|c: char| c.is_ascii_digit()) {
                    "failed"
                } else {
                    "paid"
                };
                let body = json!({ "status": to });
                match self
                    .send(reqwest::Method::PUT, &format!("payouts/{id}"), body)
                    .await
                {
                    Some((200, _)) if to == "paid" => self
                        .acknowledged
                        .paid
                        .lock()
                        .expect("a lock")
                        .push(id.to_owned()),
                    Some((200 | 503, _)) => {}
                    Some((status, answer)) => panic!("{status} {answer}"),
                    None => return,
                }
            }
        }
    }
}

fn must_add_up(database: &Database) {
    let verified = handbill(&database.url, &["verify"]);
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stdout)
    );
}

#[actix_web::test]
async fn what_a_killed_server_acknowledged_is_there_once_and_adds_up() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start(database).await;
        let body = json!({
            "name": "P", "landing_url": "https://example.com/", "commission_rate": 10, "available_when": "hold_days",
            "hold_days": 0,
        });
        let program = app.post("/api/v1/programs", body).await.ok();
        let mut referrals = Vec::new();
        for _ in 0..50 {
            app.wait(1);
            let student = app.a_student_of(&program).await;
            let poster = app.a_poster_of(&student).await;
            let scan = app.a_scan_of(&poster).await;
            referrals.push(app.a_referral_from(&scan).await);
        }
        let key = app.caller.key.clone().expect("a key");
        let acknowledged = Acknowledged::default();
        for cycle in 0..KILLS {
            let server = Process::start(&app.database);
            let load = Load {
                client: crate::support::client().build().expect("a client"),
                base: &server.base,
                key: &key,
                referrals: &referrals,
                program: &program["id"],
                acknowledged: &acknowledged,
            };
            let work = async {
                tokio::join!(
                    join_all((0..4).map(|worker| load.buy(cycle, worker))),
                    load.pay()
                );
            };
            // Different moments, the same ones in every run.
            let moment = Duration::from_millis(80 + cycle * 37 % 300);
            let _ = tokio::time::timeout(moment, work).await;
            drop(load);
            server.kill();
            must_add_up(&app.database);
        }
        let server = Process::start(&app.database);
        let client = crate::support::client().build().expect("a client");
        let get = async |path: String| {
            let answer = client
                .get(format!("{}/api/v1/{path}", server.base))
                .bearer_auth(&key)
                .send()
                .await;
            answer
                .expect("an answer")
                .json::<Value>()
                .await
                .expect("JSON")
        };
        let orders = acknowledged.orders.into_inner().expect("a lock");
        let refunds = acknowledged.refunds.into_inner().expect("a lock");
        let paid = acknowledged.paid.into_inner().expect("a lock");
        assert!(
            orders.len() > 20 && !refunds.is_empty() && !paid.is_empty(),
            "{} {} {}",
            orders.len(),
            refunds.len(),
            paid.len()
        );
        for order in &orders {
            let page = get(format!("conversions?order_id={order}")).await;
            assert_eq!(
                page["conversions"].as_array().map(Vec::len),
                Some(1),
                "{order}"
            );
        }
        for order in &refunds {
            let page = get(format!("refunds?order_id={order}")).await;
            assert_eq!(page["refunds"][0]["status"], "applied", "{order}");
        }
        for id in &paid {
            assert_eq!(get(format!("payouts/{id}")).await["status"], "paid", "{id}");
        }
        server.kill();
        app.stop().await;
    }
}
