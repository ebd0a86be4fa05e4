//! What the published sample clients do, told in Rust: their loops, filters and retries.

use serde_json::{Value, json};

use crate::support::{Caller, a_signup, on_both};

/// The export loop: pages of 100 until one is short.
async fn export_all(caller: &Caller, program: &str) -> Vec<Value> {
    let (mut all, mut offset) = (Vec::new(), 0);
    loop {
        let page = caller
            .get(&format!(
                "/api/v1/referrals?programId={program}&limit=100&offset={offset}"
            ))
            .await
            .json();
        let page = page["referrals"].as_array().expect("an array").clone();
        let short = page.len() != 100;
        all.extend(page);
        if short {
            return all;
        }
        offset += 100;
    }
}

on_both! {
    async fn the_export_loop_sees_every_referral_once_and_in_order(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut made = Vec::new();
        for _ in 0..203 {
            made.push(app.a_referral_from(&scan).await);
        }
        let program = scan["program_id"].as_str().expect("an id");
        assert_eq!(export_all(app, program).await, made);
        assert!(export_all(app, "undefined").await.is_empty());
    }

    async fn conversion_rates_come_from_two_long_lists(app: &TestApp) {
        let scan = app.a_scan().await;
        for n in 0..150 {
            let referral = app.a_referral_from(&scan).await;
            if n % 3 == 0 {
                let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
                app.put(&path, json!({ "status": "converted" })).await.ok();
            }
        }
        let count = async |query: &str| {
            let page = app.get(&format!("/api/v1/referrals?{query}limit=1000")).await.json();
            page["referrals"].as_array().expect("an array").len()
        };
        assert_eq!((count("").await, count("status=converted&").await), (150, 50));
    }

    async fn the_batch_sample_may_spread_its_own_fields_into_the_body(app: &TestApp) {
        let scan = app.a_scan().await;
        for user in ["u1", "u2", "u1"] {
            let mut body = a_signup(&scan);
            body["userId"] = json!(user);
            body["email"] = json!(format!("{user}@example.com"));
            body["idempotency_key"] = json!(format!("ref_{user}_{}", scan["id"].as_str().expect("an id")));
            app.post("/api/v1/referrals", body).await.ok();
        }
        assert_eq!(app.all("referrals").await.len(), 2, "the repeated one was a retry");
    }

    async fn the_whole_way_from_scan_to_payment(app: &TestApp) {
        let poster = app.a_poster().await;
        let scanned = app.nobody().get(&format!("/q/{}", poster["code"].as_str().expect("a code"))).await;
        let landing = url::Url::parse(scanned.header("location").expect("a location")).expect("a URL");
        let impression = landing.query_pairs().find(|(name, _)| name == "impression_id").expect("the id").1.into_owned();
        let referral = app.post("/api/v1/referrals", a_signup(&json!({ "id": impression }))).await.ok();
        assert_eq!(referral["student_id"], poster["student_id"]);
        let order = json!({ "referral_id": referral["id"], "amount": 550, "type": "purchase", "idempotency_key": "order_771" });
        let earning = app.post("/api/v1/earnings", order).await.ok();
        let referral_path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        assert_eq!(app.put(&referral_path, json!({ "status": "converted" })).await.ok()["status"], "converted");
        let verified = json!({ "status": "verified", "metadata": { "verified_by": "admin" } });
        assert_eq!(app.put(&referral_path, verified).await.ok()["status"], "verified");
        let earning_path = format!("/api/v1/earnings/{}", earning["id"].as_str().expect("an id"));
        for status in ["processing", "failed", "processing", "paid"] {
            let body = json!({ "status": status, "reference_id": "payout_456def" });
            assert_eq!(app.put(&earning_path, body).await.ok()["status"], status);
        }
        let owed = app.get("/api/v1/earnings?status=pending").await.ok();
        assert_eq!(owed["earnings"], json!([]));
    }
}
