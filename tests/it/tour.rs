//! A person, a customer and an ambassador with a canary in every field there is, and where a word is found afterwards.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use handbill::db::rows::Shape;
use handbill::db::tables::TABLES;
use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::receiver::{Receiver, Reply};
use crate::support::{Caller, Database, TestApp};

/// Stands in everything that is known about the person who signs up.
pub const PERSON: &str = "refcanary";
/// Stands in everything that is known about a customer, but for the telephone number.
pub const CUSTOMER: &str = "custcanary";
/// The telephone number.
pub const PHONE: &str = "+351910000077";
/// Stands in everything that is known about the ambassador.
pub const STUDENT: &str = "usercanary";

pub const SETTINGS: [(&str, &str); 2] = [
    ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
    ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
];

#[derive(QueryableByName)]
pub struct Found {
    #[diesel(sql_type = BigInt)]
    pub found: i64,
}

/// A person and an ambassador, with a canary in every field there is, and the request that signed the person up.
pub async fn a_tour_of(app: &Caller) -> (Value, Value, Value) {
    let program = app.a_program().await;
    let student = app.post("/api/v1/users", json!({
        "program_id": program["id"], "first_name": "usercanary A", "last_name": "usercanary B",
        "email": "usercanary@example.com", "profile_picture": "https://example.com/usercanary.png",
        "metadata": { "usercanary": "usercanary" }, "idempotency_key": "user 1",
    })).await.ok();
    let poster = app.a_poster_of(&student).await;
    let scan = app.post("/api/v1/impressions", json!({
        "poster_id": poster["id"], "user_agent": "refcanary/1.0", "ip_address": "203.0.113.77",
        "metadata": { "seen": "refcanary" }, "idempotency_key": "scan 1",
    })).await.ok();
    let signup = json!({
        "impression_id": scan["id"], "first_name": "refcanary A", "last_name": "refcanary B",
        "email": "RefCanary@example.com", "profile_picture": "https://example.com/refcanary.png",
        "external_id": "refcanary 7", "metadata": { "refcanary": ["refcanary"] }, "idempotency_key": "signup 1",
    });
    let referral = app.post("/api/v1/referrals", signup.clone()).await.ok();
    let order = json!({
        "email": "refcanary@example.com", "order_id": "order 1", "amount": 90_000, "metadata": { "who": "refcanary" },
        "idempotency_key": "order 1",
    });
    app.post("/api/v1/conversions", order).await.ok();
    let refund = json!({
        "order_id": "order 1", "amount": 100, "idempotency_key": "refund 1", "reason": "refcanary was sad",
        "metadata": { "who": "refcanary" },
    });
    app.post("/api/v1/refunds", refund).await.ok();
    let path = format!("/api/v1/referrals/{}", id(&referral));
    app.put(
        &path,
        json!({ "status": "verified", "note": "refcanary called back" }),
    )
    .await
    .ok();
    let bonus = json!({
        "referral_id": referral["id"], "amount": 700, "description": "for refcanary", "metadata": { "who": "refcanary" },
    });
    let earning = app.post("/api/v1/earnings", bonus).await.ok();
    let path = format!("/api/v1/earnings/{}", id(&earning));
    app.put(
        &path,
        json!({ "status": "processing", "note": "refcanary" }),
    )
    .await
    .ok();
    app.post(
        "/api/v1/payouts:collect",
        json!({ "program_id": program["id"] }),
    )
    .await
    .ok();
    let payouts = app.all("payouts").await;
    let path = format!("/api/v1/payouts/{}", id(&payouts[0]));
    let failed = json!({
        "status": "failed", "failure_reason": "usercanary moved", "metadata": { "who": "usercanary" }, "note": "usercanary",
    });
    app.put(&path, failed).await.ok();
    (referral, student, signup)
}

/// The same, and a receiver of its events that says what it was told.
pub async fn a_tour(app: &TestApp) -> (Value, Value, Value) {
    let receiver = Receiver::start(|_, got| Reply::Say(200, "", got.body.clone()));
    let hook = json!({ "url": receiver.url });
    app.post("/api/v1/webhook-endpoints", hook).await.ok();
    let met = a_tour_of(app).await;
    let customer = json!({
        "email": "CustCanary@example.com", "name": "custcanary", "phone": "+351910000077", "external_id": "custcanary 9",
        "metadata": { "who": "custcanary" }, "idempotency_key": "customer 1",
    });
    let customer = app.post("/api/v1/customers", customer).await.ok();
    // What is answered here is kept for a day.
    let path = format!("/v1/customers/{}", id(&customer));
    let key = [("idempotency-key", "one")];
    let body = json!({ "phone": PHONE }).to_string();
    let kept = app.send(Method::POST, &path, &key, Some(body)).await;
    assert_eq!(kept.ok()["name"], CUSTOMER);
    app.wait(1);
    deliver_due(&app.app).await.expect("a round");
    met
}

/// Where a word stands in the database, in any spelling.
pub fn where_is(app: &TestApp, word: &str) -> Vec<String> {
    where_in(&app.database, word)
}

/// The same of a database that nobody serves.
pub fn where_in(database: &Database, word: &str) -> Vec<String> {
    let mut conn = database.connect();
    let mut found = Vec::new();
    for table in TABLES {
        let shape = Shape::of(&mut conn, table).expect("a table");
        let mut last = None;
        loop {
            let mut rows = shape.page(&mut conn, None, last.as_ref()).expect("rows");
            for row in &rows {
                for (column, value) in row.as_object().expect("a row") {
                    let place = format!("{}.{column}", table.name);
                    if value.to_string().to_lowercase().contains(word) && !found.contains(&place) {
                        found.push(place);
                    }
                }
            }
            last = rows.pop();
            if last.is_none() {
                break;
            }
        }
    }
    found
}
