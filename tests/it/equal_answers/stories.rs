//! What is told: the calls, one after the other.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::Transcript;
use crate::support::{TestApp, a_signup};

pub async fn tell(app: &TestApp) -> String {
    let mut transcript = Transcript {
        text: String::new(),
        ids: HashMap::new(),
    };
    let mut scans: Vec<Value> = Vec::new();
    let programs = [app.a_program().await, app.a_program().await];
    for (n, program) in programs.iter().enumerate() {
        let student = app.a_student_of(program).await;
        let poster = app.a_poster_of(&student).await;
        for day in 1..=3 {
            let body = json!({
                "poster_id": poster["id"], "scanned_at": format!("2024-02-0{day}T0{n}:00:00Z"), "user_agent": "Ünï \u{1f393}",
                "metadata": { "z": 1, "a": [1.5, -0.0, 1e2, 1e-7, 123_456_789_012_345_678_u64], "é": null },
            });
            let answer = app.post("/api/v1/impressions", body).await;
            transcript.note("scan", &answer);
            scans.push(answer.ok());
        }
    }
    let mut referrals = Vec::new();
    for (n, name) in ["Zoë", "ábel", "Abel", "zoe", "_", "ß"]
        .into_iter()
        .enumerate()
    {
        app.wait(1);
        let mut body = a_signup(&scans[n]);
        body["first_name"] = json!(name);
        body["idempotency_key"] = json!(format!("Key {name}"));
        let answer = app.post("/api/v1/referrals", body.clone()).await;
        transcript.note("signup", &answer);
        referrals.push(answer.ok());
        transcript.note("retry", &app.post("/api/v1/referrals", body.clone()).await);
        body["email"] = json!("other@example.com");
        transcript.note("reuse", &app.post("/api/v1/referrals", body).await);
    }
    tell_decisions(app, &mut transcript, &referrals).await;
    tell_money(app, &mut transcript, &referrals).await;
    tell_customers(app, &mut transcript).await;
    tell_joy(app, &mut transcript).await;
    let program = programs[0]["id"].as_str().expect("an id");
    for list in [
        "programs",
        "users",
        "posters",
        "impressions",
        "referrals",
        "earnings",
        "conversions",
        "refunds",
        "payouts",
        "ledger/transfers",
        "payouts/collections",
        "customers",
        "introductions",
        "coupons",
    ] {
        for query in [
            "",
            "?limit=2&offset=1",
            "?order=desc&limit=3",
            "?status=rejected",
            "?status=pending",
            "?limit=x",
        ] {
            transcript.note(list, &app.get(&format!("/api/v1/{list}{query}")).await);
        }
        transcript.note(
            list,
            &app.get(&format!("/api/v1/{list}?programId={program}"))
                .await,
        );
        transcript.note(
            "no method",
            &app.send(
                Method::DELETE,
                &format!("/api/v1/{list}"),
                &[],
                None::<String>,
            )
            .await,
        );
    }
    transcript.text
}

/// What becomes of signups, and what they earn.
pub async fn tell_decisions(app: &TestApp, transcript: &mut Transcript, referrals: &[Value]) {
    for (n, referral) in referrals.iter().enumerate() {
        let path = format!(
            "/api/v1/referrals/{}",
            referral["id"].as_str().expect("an id")
        );
        for status in [
            "verified",
            "converted",
            "pending",
            "rejected",
            "rejected",
            "verified",
        ] {
            app.wait(1);
            let body =
                json!({ "status": status, "metadata": { "n": n, "source": null }, "note": "née" });
            transcript.note(status, &app.put(&path, body).await);
            let earning = json!({ "referral_id": referral["id"], "amount": 100 + n, "type": "bonus", "idempotency_key": format!("{n}{status}") });
            transcript.note("earning", &app.post("/api/v1/earnings", earning).await);
        }
        transcript.note("history", &app.get(&format!("{path}/history")).await);
    }
}

/// Customers who bring customers, told in VINR's words.
pub async fn tell_customers(app: &TestApp, transcript: &mut Transcript) {
    let reward = json!({ "type": "points", "amount": 500 });
    app.a_program_for_customers(json!({}), reward).await;
    let mut customers = Vec::new();
    for email in [
        "Zoë@example.com",
        "zoe@example.com",
        "ZOE@example.com",
        "b@example.com",
        "c@example.com",
    ] {
        app.wait(1);
        let body = json!({ "email": email, "name": "ß É" });
        let answer = app.post("/v1/customers", body).await;
        transcript.note("customer", &answer);
        if answer.status == 201 {
            customers.push(answer.json()["id"].clone());
        }
    }
    for (referrer, referred) in [(0, 1), (0, 2), (1, 2), (1, 0), (2, 2)] {
        app.wait(1);
        let body = json!({ "referrer_customer": customers[referrer], "referred_customer": customers[referred], "expand": "referred_customer" });
        transcript.note("referral", &app.post("/v1/referrals", body).await);
    }
    for (order, email) in ["b@example.com", "c@example.com", "c@example.com"]
        .iter()
        .enumerate()
    {
        app.wait(1);
        let body = json!({ "order_id": format!("friend {order}"), "email": email, "amount": 900 });
        transcript.note("buy", &app.post("/api/v1/conversions", body).await);
    }
    let body = json!({ "order_id": "friend 0", "idempotency_key": "friend 0" });
    transcript.note("refund", &app.post("/api/v1/refunds", body).await);
    for path in [
        "referrals",
        "referrals?limit=1",
        "referrals?limit=x",
        "referrals?expand[]=referrer_customer",
        "customers?limit=2",
        "events",
        "events?type=referral.rewarded",
        "referrals/ref_x",
        "nothing",
    ] {
        transcript.note(path, &app.get(&format!("/v1/{path}")).await);
    }
    let path = format!(
        "/api/v1/customers/{}/invitation",
        customers[0].as_str().expect("an id")
    );
    transcript.note("link", &app.post(&path, json!({})).await);
}

/// The same customers in Joy's words.
pub async fn tell_joy(app: &TestApp, transcript: &mut Transcript) {
    let joy = app.with_joy(app.database.account_named("default"));
    let base = "/rest_api/v2/referrals";
    for body in [
        json!({ "email": "ZOE@example.com" }),
        json!({ "email": "Zoë@example.com" }),
        json!({ "email": "c@example.com" }),
        json!({ "email": "nobody@example.com" }),
        json!({ "email": "nobody" }),
        json!({}),
        json!([]),
    ] {
        app.wait(1);
        for _ in 0..2 {
            let answer = joy.post(&format!("{base}/invitations"), body.clone()).await;
            transcript.note("invite", &answer);
        }
    }
    let mut named: Vec<String> = app
        .all("customers")
        .await
        .iter()
        .map(|customer| customer["id"].as_str().expect("an id").to_owned())
        .collect();
    let body = json!({ "email": "d@example.com", "external_id": "Ünï 7" });
    app.post("/api/v1/customers", body).await.ok();
    named.extend(["%C3%9Cn%C3%AF%207", "cust_x", "%00"].map(str::to_owned));
    for id in named {
        for what in ["referrers", "summary"] {
            let path = format!("{base}/customers/{id}/{what}");
            transcript.note(what, &joy.get(&path).await);
        }
    }
    for query in [
        "",
        "?startDate=2024-03-01",
        "?startDate=2024-03-01&endDate=2030-01-01",
        "?startDate=2024-03-02&endDate=2024-03-01",
        "?endDate=2024-3-1",
    ] {
        let path = format!("{base}/analytics{query}");
        transcript.note("analytics", &joy.get(&path).await);
    }
    transcript.note("nothing", &joy.get(&format!("{base}/nothing")).await);
}

/// Purchases, refunds, payouts, and what the ledger says of them.
pub async fn tell_money(app: &TestApp, transcript: &mut Transcript, referrals: &[Value]) {
    for (n, referral) in referrals.iter().enumerate() {
        for (order, amount, currency) in [(0, 5500, "USD"), (1, 999, "JPY"), (1, 1000, "JPY")] {
            app.wait(1);
            let body = json!({
                "referral_id": referral["id"], "order_id": format!("Örder {n}.{order}"), "amount": amount + n,
                "currency": currency, "kind": "renewal", "metadata": { "é": [1e2, null] },
            });
            transcript.note("buy", &app.post("/api/v1/conversions", body).await);
        }
        for (key, amount) in [("a", 333), ("b", 333), ("b", 334), ("c", 99_999)] {
            app.wait(1);
            let body = json!({
                "order_id": format!("Örder {n}.0"), "amount": amount, "idempotency_key": format!("{n}{key}"),
            });
            transcript.note("refund", &app.post("/api/v1/refunds", body).await);
        }
        let path = format!(
            "/api/v1/referrals/{}",
            referral["id"].as_str().expect("an id")
        );
        transcript.note(
            "verify",
            &app.put(&path, json!({ "status": "verified" })).await,
        );
    }
    for round in ["paid", "failed", "cancelled"] {
        app.wait(86_400);
        for dry_run in [true, false] {
            let body = json!({ "program_id": referrals[0]["program_id"], "dry_run": dry_run });
            transcript.note("collect", &app.post("/api/v1/payouts:collect", body).await);
        }
        for payout in app.all("payouts").await {
            let path = format!("/api/v1/payouts/{}", payout["id"].as_str().expect("an id"));
            let body = json!({ "status": round, "reference_id": "SEPA 1", "note": "née" });
            transcript.note(round, &app.put(&path, body).await);
            transcript.note("items", &app.get(&format!("{path}/earnings")).await);
            transcript.note("history", &app.get(&format!("{path}/history")).await);
        }
        let body = json!({ "order_id": "Örder 0.1", "amount": 10, "idempotency_key": round });
        transcript.note("refund", &app.post("/api/v1/refunds", body).await);
    }
    for referral in &referrals[..2] {
        let student = referral["student_id"].as_str().expect("an id");
        for path in [
            "balance?",
            "balance?as_of=2024-03-02T00:00:00Z&",
            "statement?",
            "statement?limit=2&offset=1&",
        ] {
            let path = format!("/api/v1/ledger/{path}student_id={student}");
            transcript.note(&path[16..20], &app.get(&path).await);
        }
    }
    for earning in app.all("earnings").await {
        let id = earning["id"].as_str().expect("an id");
        transcript.note(
            "explain",
            &app.get(&format!("/api/v1/earnings/{id}/explain")).await,
        );
    }
    transcript.note("csv", &app.get("/api/v1/payouts.csv").await);
}
