//! Words for stories about money.

use handbill::accounts;
use handbill::api_keys;
use handbill::db::page::{Order, Page};
use handbill::earnings::release;
use handbill::idempotency::Recorded;
use handbill::ids::{AccountId, ApiKeyId, Id, PayoutId, ProgramId};
use handbill::payouts::collect;
use handbill::payouts::model::{NewCollection, Payout, PayoutChanges, PayoutFilter, PayoutStatus};
use handbill::payouts::{queries, settle};
use serde_json::{Value, json};

use super::{Caller, TestApp};

/// The text of an id.
#[track_caller]
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

impl Caller {
    /// Somebody who signed up in a program that pays ten percent, with this beside it.
    pub async fn a_referral_paid(&self, terms: Value) -> Value {
        let mut body =
            json!({ "name": "P", "landing_url": "https://example.com", "commission_rate": 10 });
        for (name, value) in terms.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let program = self.post("/api/v1/programs", body).await.ok();
        let student = self.a_student_of(&program).await;
        let poster = self.a_poster_of(&student).await;
        let scan = self.a_scan_of(&poster).await;
        self.a_referral_from(&scan).await
    }

    /// Another signup of the same ambassador's.
    pub async fn another_of(&self, referral: &Value) -> Value {
        let poster = self
            .a_poster_of(&json!({ "id": referral["student_id"] }))
            .await;
        let scan = self.a_scan_of(&poster).await;
        self.a_referral_from(&scan).await
    }

    /// The person of a referral buys something.
    pub async fn buys(&self, referral: &Value, order: &str, amount: i64, currency: &str) -> Value {
        let body = json!({
            "referral_id": referral["id"], "order_id": order, "amount": amount, "currency": currency,
        });
        self.post("/api/v1/conversions", body).await.ok()
    }

    /// The company gives so much back of an order.
    pub async fn refunds(&self, order: &str, amount: i64, key: &str) -> Value {
        let body = json!({ "order_id": order, "amount": amount, "idempotency_key": key });
        self.post("/api/v1/refunds", body).await.ok()
    }

    /// What becomes of a signup.
    pub async fn decides(&self, referral: &Value, status: &str) {
        let path = format!("/api/v1/referrals/{}", id(referral));
        self.put(&path, json!({ "status": status })).await.ok();
    }

    /// The balance of a referral's ambassador in one currency, now or as of a moment. Held against the law that what
    /// was earned is somewhere.
    pub async fn balance(&self, referral: &Value, currency: &str, as_of: Option<&str>) -> Value {
        let student = referral["student_id"].as_str().expect("an id");
        let as_of = as_of.map_or_else(String::new, |at| format!("&as_of={at}"));
        let path = format!("/api/v1/ledger/balance?student_id={student}{as_of}");
        let answer = self.get(&path).await.ok();
        let balances = answer["balances"].as_array().expect("balances");
        for balance in balances {
            let of = |name: &str| balance[name].as_i64().expect("a number");
            let somewhere = of("pending") + of("available") + of("in_payout") + of("paid");
            assert_eq!(
                of("earned"),
                somewhere - of("owed_back") + of("reversed"),
                "{balance}"
            );
        }
        let found = balances.iter().find(|b| b["currency"] == currency);
        found.cloned().unwrap_or(Value::Null)
    }
}

impl TestApp {
    /// The account and the key of whoever calls.
    pub async fn who(&self) -> (AccountId, ApiKeyId) {
        let found = self.app.db.read(|conn| {
            let account = accounts::queries::find_by_name_or_id(conn, "default")?;
            let account = account.expect("the account");
            let keys = api_keys::queries::list_all(conn, &account.id)?;
            Ok((account.id, keys[0].id.clone()))
        });
        found.await.expect("somebody")
    }

    /// Pays out what is due in the program of a referral. The payouts that made.
    pub async fn collects(&self, referral: &Value) -> Vec<Payout> {
        let (account, key) = self.who().await;
        let program = referral["program_id"].as_str().expect("an id");
        let program_id = ProgramId::from_outside(program).expect("an id");
        let run = self.app.db.write(move |conn, now| {
            let new = NewCollection {
                program_id: program_id.clone(),
                retry: None,
            };
            let begun = collect::begin(conn, &account, &new, now)?;
            let (Recorded::New(mut collection) | Recorded::Replayed(mut collection)) = begun;
            for _ in 0..3 {
                collection = collect::go_on(conn, &account, &collection.id, Some(&key), now)?;
            }
            let page = Page {
                limit: 100,
                offset: 0,
                order: Order::Asc,
                after: None,
                before: None,
            };
            let made = queries::list(conn, &account, &PayoutFilter::default(), &page)?;
            Ok(made
                .into_iter()
                .filter(|payout| payout.collection_id == collection.id)
                .collect())
        });
        run.await.expect("payouts")
    }

    /// A payout arrives, fails or is cancelled.
    pub async fn settles(&self, payout: &PayoutId, to: PayoutStatus) {
        let ((account, key), id) = (self.who().await, payout.clone());
        let changes = PayoutChanges {
            status: Some(to),
            ..PayoutChanges::default()
        };
        let settled = self
            .app
            .db
            .write(move |conn, now| settle::settle(conn, &account, &key, &id, &changes, now));
        settled.await.expect("a settled payout");
    }

    /// What the worker does about holds that are over.
    pub async fn releases(&self) -> usize {
        let (account, _) = self.who().await;
        let released = self
            .app
            .db
            .write(move |conn, now| release::release_due(conn, &account, now, 100));
        released.await.expect("released")
    }
}
