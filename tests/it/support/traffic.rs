//! What goes on at a server that will be killed: signups, purchases, refunds, payouts, at once; and whether what was
//! acknowledged is there.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Caller, a_signup, client};

/// Somebody with a key, what there is to buy for, and what was acknowledged.
pub struct Traffic {
    client: reqwest::Client,
    key: String,
    program: Value,
    scan: Value,
    referrals: Vec<Value>,
    /// Idempotency keys, and the ids of what they made.
    signups: Mutex<Vec<(String, Value)>>,
    orders: Mutex<Vec<String>>,
    refunds: Mutex<Vec<String>>,
    paid: Mutex<Vec<String>>,
}

impl Traffic {
    /// A program, and fifty people who may buy.
    pub async fn prepare(caller: &Caller) -> Self {
        let body = json!({
            "name": "P", "landing_url": "https://example.com/", "commission_rate": 10, "available_when": "hold_days",
            "hold_days": 0,
        });
        let program = caller.post("/api/v1/programs", body).await.ok();
        let (mut scan, mut referrals) = (Value::Null, Vec::new());
        for _ in 0..50 {
            let student = caller.a_student_of(&program).await;
            let poster = caller.a_poster_of(&student).await;
            scan = caller.a_scan_of(&poster).await;
            referrals.push(caller.a_referral_from(&scan).await);
        }
        Self {
            client: client().build().expect("a client"),
            key: caller.key.clone().expect("a key"),
            program: program["id"].clone(),
            scan,
            referrals,
            signups: Mutex::default(),
            orders: Mutex::default(),
            refunds: Mutex::default(),
            paid: Mutex::default(),
        }
    }

    /// Everybody does something at the server at `base`, until it is over or nobody answers any more.
    pub async fn flow(&self, base: &str, turn: u64, moment: Duration) {
        let _ = tokio::time::timeout(moment, self.work(base, turn)).await;
    }

    /// The same; a machine that is slow gets as long as it takes to acknowledge a few things, but not for ever.
    pub async fn flow_well(&self, base: &str, turn: u64, moment: Duration) {
        let before = self.acknowledged();
        let enough = async {
            tokio::time::sleep(moment).await;
            while self.acknowledged() < before + 10 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let work = async {
            tokio::select! {
                () = self.work(base, turn) => {}
                () = enough => {}
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(20), work).await;
    }

    async fn work(&self, base: &str, turn: u64) {
        let buyers = (0..4).map(|buyer| self.buy(base, turn, buyer));
        let people = (0..2).map(|person| self.sign_up(base, turn, person));
        tokio::join!(join_all(buyers), join_all(people), self.pay(base));
    }

    /// The answer, if there was one: a 200, or a 503.
    async fn send(
        &self,
        base: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> Option<(u16, Value)> {
        let request = self.client.request(method, format!("{base}/api/v1/{path}"));
        let answer = request
            .bearer_auth(&self.key)
            .json(&body)
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.ok()?;
        assert!(matches!(status, 200 | 503), "{status} {body}");
        Some((status, body))
    }

    async fn sign_up(&self, base: &str, turn: u64, person: usize) {
        for number in 0.. {
            let key = format!("k{turn}_{person}_{number}");
            match self
                .send(base, Method::POST, "referrals", self.signup(&key))
                .await
            {
                Some((200, made)) => note(&self.signups, (key, made["id"].clone())),
                Some(_) => {}
                None => return,
            }
        }
    }

    fn signup(&self, key: &str) -> Value {
        let mut body = a_signup(&self.scan);
        body["idempotency_key"] = json!(key);
        body
    }

    async fn buy(&self, base: &str, turn: u64, buyer: usize) {
        for number in 0.. {
            let order = format!("o{turn}_{buyer}_{number}");
            let referral = &self.referrals[(number * 7 + buyer) % self.referrals.len()];
            let body = json!({ "referral_id": referral["id"], "order_id": order, "amount": 1000 + number });
            match self.send(base, Method::POST, "conversions", body).await {
                Some((200, _)) => note(&self.orders, order.clone()),
                Some(_) => {}
                None => return,
            }
            if number % 3 == 0 {
                let body = json!({ "order_id": order, "amount": 500, "idempotency_key": order });
                match self.send(base, Method::POST, "refunds", body).await {
                    Some((200, _)) => note(&self.refunds, order),
                    Some(_) => {}
                    None => return,
                }
            }
        }
    }

    async fn pay(&self, base: &str) {
        loop {
            let body = json!({ "program_id": self.program });
            let Some((_, run)) = self.send(base, Method::POST, "payouts:collect", body).await
            else {
                return;
            };
            for payout in run["payouts"].as_array().into_iter().flatten() {
                let id = payout["id"].as_str().expect("an id");
                let fails = id.ends_with(|c: char| c.is_ascii_digit());
                let to = if fails { "failed" } else { "paid" };
                let path = format!("payouts/{id}");
                match self
                    .send(base, Method::PUT, &path, json!({ "status": to }))
                    .await
                {
                    Some((200, _)) if to == "paid" => note(&self.paid, id.to_owned()),
                    Some(_) => {}
                    None => return,
                }
            }
        }
    }

    /// How much was acknowledged.
    pub fn acknowledged(&self) -> usize {
        let lists = [&self.orders, &self.refunds, &self.paid];
        let signups = self.signups.lock().expect("a lock").len();
        signups
            + lists
                .map(|list| list.lock().expect("a lock").len())
                .iter()
                .sum::<usize>()
    }

    /// What was acknowledged and is not there, or is there twice, at the server at `base`. What was acknowledged since
    /// the last time is looked at.
    pub async fn missing(&self, base: &str) -> Vec<String> {
        let mut missing = Vec::new();
        let get = async |path: String| {
            let answer = self.client.get(format!("{base}/api/v1/{path}"));
            let answer = answer
                .bearer_auth(&self.key)
                .send()
                .await
                .expect("an answer");
            answer.json::<Value>().await.expect("JSON")
        };
        for (key, id) in take(&self.signups) {
            // Whoever tries again gets what was made, and makes nothing.
            let mut again = None;
            for _ in 0..50 {
                again = self
                    .send(base, Method::POST, "referrals", self.signup(&key))
                    .await;
                if again.as_ref().is_none_or(|(status, _)| *status == 200) {
                    break;
                }
                // It has too much to do, or its disk was full a moment ago.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            if again.is_none_or(|(_, again)| again["id"] != id) {
                missing.push(key);
            }
        }
        for order in take(&self.orders) {
            let page = get(format!("conversions?order_id={order}")).await;
            if page["conversions"].as_array().map(Vec::len) != Some(1) {
                missing.push(order);
            }
        }
        for order in take(&self.refunds) {
            let page = get(format!("refunds?order_id={order}")).await;
            if page["refunds"][0]["status"] != "applied" {
                missing.push(format!("the refund of {order}"));
            }
        }
        for id in take(&self.paid) {
            if get(format!("payouts/{id}")).await["status"] != "paid" {
                missing.push(id);
            }
        }
        missing
    }
}

fn note<T>(list: &Mutex<Vec<T>>, one: T) {
    list.lock().expect("a lock").push(one);
}

fn take<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut *list.lock().expect("a lock"))
}
