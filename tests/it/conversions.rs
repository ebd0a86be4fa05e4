//! Purchases: whose they are, what they earn, and once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{TestApp, a_signup, on_both};

fn order(referral: &Value, number: u32) -> Value {
    json!({
        "referral_id": referral["id"], "order_id": format!("order_{number}"), "amount": 5500, "currency": "USD",
        "kind": "purchase", "occurred_at": "2024-02-28T11:00:00Z", "metadata": { "plan": "pro" },
    })
}

async fn earnings_of(app: &TestApp, referral: &Value) -> Vec<Value> {
    let id = referral["id"].as_str().expect("an id");
    let page = app
        .get(&format!("/api/v1/earnings?referral_id={id}"))
        .await
        .ok();
    page["earnings"].as_array().expect("a list").clone()
}

on_both! {
    async fn a_purchase_converts_the_referral_and_earns_the_commission(app: &TestApp) {
        let referral = app.a_referral().await;
        app.wait(60);
        let conversion = app.post("/api/v1/conversions", order(&referral, 771)).await.ok();
        assert_eq!(conversion, json!({
            "id": conversion["id"], "referral_id": referral["id"], "program_id": referral["program_id"],
            "student_id": referral["student_id"], "order_id": "order_771", "kind": "purchase", "amount": 5500,
            "currency": "USD", "occurred_at": "2024-02-28T11:00:00Z", "refunded_amount": 0, "commission": 550,
            "rule_version": 1, "steps": conversion["steps"], "coupon_code": null, "created_at": "2024-03-01T09:01:00Z", "updated_at": "2024-03-01T09:01:00Z",
            "metadata": { "plan": "pro" },
        }));
        let id = conversion["id"].as_str().expect("an id");
        assert_eq!(app.get(&format!("/api/v1/conversions/{id}")).await.ok(), conversion);
        assert_eq!(app.all("conversions").await, vec![conversion.clone()]);
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        assert_eq!(app.get(&path).await.ok()["status"], "converted");
        let earnings = earnings_of(app, &referral).await;
        assert_eq!(earnings.len(), 1);
        assert_eq!(earnings[0], json!({
            "id": earnings[0]["id"], "referral_id": referral["id"], "amount": 550, "currency": "USD",
            "type": "purchase", "description": "Commission for order order_771", "status": "pending",
            "reference_id": null, "created_at": "2024-03-01T09:01:00Z", "paid_at": null,
            "updated_at": "2024-03-01T09:01:00Z", "metadata": {},
        }));
    }

    async fn the_same_order_is_the_same_conversion(app: &TestApp) {
        let referral = app.a_referral().await;
        let first = app.post("/api/v1/conversions", order(&referral, 1)).await.ok();
        app.wait(86_400 * 400);
        let again = app.post("/api/v1/conversions", order(&referral, 1)).await;
        assert!(again.is_replay());
        assert_eq!(again.ok(), first);
        for (field, other) in [("amount", json!(5501)), ("currency", json!("EUR")), ("kind", json!("renewal"))] {
            let mut body = order(&referral, 1);
            body[field] = other;
            let refused = app.post("/api/v1/conversions", body).await.refused_with(409);
            assert_eq!(refused["code"], "order_id_reused", "{field}");
        }
        assert_eq!(earnings_of(app, &referral).await.len(), 1);
    }

    async fn fifty_reports_of_one_order_earn_once(app: &TestApp) {
        let referral = app.a_referral().await;
        let answers = join_all((0..50).map(|_| app.post("/api/v1/conversions", order(&referral, 1)))).await;
        let first = answers[0].ok();
        assert!(answers.iter().all(|answer| answer.ok() == first));
        assert_eq!(answers.iter().filter(|answer| !answer.is_replay()).count(), 1);
        assert_eq!(earnings_of(app, &referral).await.len(), 1);
    }

    async fn one_key_is_one_purchase_whatever_its_order(app: &TestApp) {
        let referral = app.a_referral().await;
        let mut body = order(&referral, 1);
        body["idempotency_key"] = json!("checkout_1");
        let first = app.post("/api/v1/conversions", body.clone()).await.ok();
        assert_eq!(app.post("/api/v1/conversions", body.clone()).await.ok(), first);
        body["order_id"] = json!("order_2");
        let refused = app.post("/api/v1/conversions", body).await.refused_with(409);
        assert_eq!(refused["code"], "idempotency_key_reused");
        assert_eq!(app.all("conversions").await.len(), 1);
    }

    async fn the_buyer_is_found_by_address_and_by_the_companys_own_name(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut signup = a_signup(&scan);
        signup["external_id"] = json!("customer_8731");
        let referral = app.post("/api/v1/referrals", signup).await.ok();
        assert_eq!(referral["external_id"], "customer_8731");
        app.wait(1);
        let rejected = app.a_referral_from(&scan).await;
        let path = format!("/api/v1/referrals/{}", rejected["id"].as_str().expect("an id"));
        app.put(&path, json!({ "status": "rejected", "external_id": "customer_9" })).await.ok();
        for (number, field, value) in [
            (1, "email", json!("JOHN.DOE@EXAMPLE.COM")), (2, "external_id", json!("customer_8731")),
        ] {
            let mut body = order(&referral, number);
            body.as_object_mut().expect("an object").remove("referral_id");
            body[field] = value;
            let conversion = app.post("/api/v1/conversions", body).await.ok();
            assert_eq!(conversion["referral_id"], referral["id"], "{field}: the first that was not rejected");
        }
        let mut body = order(&referral, 3);
        body["email"] = json!("john.doe@example.com");
        app.post("/api/v1/conversions", body.clone()).await.refused_with(400);
        body.as_object_mut().expect("an object").remove("referral_id");
        body["email"] = json!("nobody@example.com");
        let refused = app.post("/api/v1/conversions", body.clone()).await.refused(400, "email is not of anybody who signed up");
        assert_eq!(refused["errors"][0]["code"], "unknown_person");
        body.as_object_mut().expect("an object").remove("email");
        app.post("/api/v1/conversions", body).await.refused(400, "Missing required field: referral_id");
    }

    async fn a_purchase_of_a_rejected_referral_earns_when_the_rejection_is_taken_back(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        app.put(&path, json!({ "status": "rejected" })).await.ok();
        let conversion = app.post("/api/v1/conversions", order(&referral, 1)).await.ok();
        assert_eq!(conversion["commission"], 550, "what it would be");
        assert!(earnings_of(app, &referral).await.is_empty());
        app.wait(1);
        app.put(&path, json!({ "status": "pending" })).await.ok();
        let earnings = earnings_of(app, &referral).await;
        assert_eq!((earnings.len(), &earnings[0]["amount"]), (1, &json!(550)));
    }

    async fn only_one_purchase_is_the_first_in_whatever_order_they_are_reported(app: &TestApp) {
        let referral = app.a_referral().await;
        let program = referral["program_id"].as_str().expect("an id");
        let rule = json!({ "rule": {
            "commission": { "type": "percent", "basis_points": 1000 }, "applies": { "to": "first_purchase" },
        } });
        app.wait(1);
        app.post(&format!("/api/v1/programs/{program}/rules"), rule).await.ok();
        let mut paid = Vec::new();
        for (number, day) in [(1, "2024-02-10"), (2, "2024-02-10"), (3, "2024-01-01"), (4, "2024-02-20")] {
            app.wait(1);
            let mut body = order(&referral, number);
            body["occurred_at"] = json!(format!("{day}T00:00:00Z"));
            paid.push(app.post("/api/v1/conversions", body).await.ok()["commission"].clone());
        }
        assert_eq!(paid, [550, 0, 0, 0]);
        assert_eq!(earnings_of(app, &referral).await.len(), 1);
    }

    async fn caps_hold_when_many_purchases_come_at_once(app: &TestApp) {
        let referral = app.a_referral().await;
        let program = referral["program_id"].as_str().expect("an id");
        let rule = json!({ "rule": {
            "commission": { "type": "percent", "basis_points": 1000 },
            "caps": { "per_ambassador": { "amount": 2000, "period": "month" } },
        } });
        app.post(&format!("/api/v1/programs/{program}/rules"), rule).await.ok();
        let orders = (0..20).map(|number| app.post("/api/v1/conversions", order(&referral, number)));
        let answers = join_all(orders).await;
        let paid: i64 = answers.iter().map(|answer| answer.ok()["commission"].as_i64().expect("an amount")).sum();
        assert_eq!(paid, 2000);
    }

    async fn the_nth_verified_referral_brings_the_bonus_once(app: &TestApp) {
        let scan = app.a_scan().await;
        let program = scan["program_id"].as_str().expect("an id");
        let rule = json!({ "rule": {
            "commission": { "type": "percent", "basis_points": 1000 },
            "bonuses": [{ "verified_referrals": 3, "amount": 5000 }],
        } });
        app.post(&format!("/api/v1/programs/{program}/rules"), rule).await.ok();
        let mut paths = Vec::new();
        for _ in 0..5 {
            app.wait(1);
            let referral = app.a_referral_from(&scan).await;
            paths.push(format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id")));
        }
        let verify = |path: &String| { let path = path.clone(); async move { app.put(&path, json!({ "status": "verified" })).await.ok() } };
        // All at once: one of them is the third.
        join_all(paths[..4].iter().map(verify)).await;
        let bonuses = app.all("earnings").await;
        assert_eq!(bonuses.len(), 1, "{bonuses:?}");
        assert_eq!((&bonuses[0]["amount"], &bonuses[0]["type"]), (&json!(5000), &json!("bonus")));
        let bearer = format!("/api/v1/referrals/{}", bonuses[0]["referral_id"].as_str().expect("an id"));
        app.wait(1);
        app.put(&bearer, json!({ "status": "rejected" })).await.ok();
        assert_eq!(app.all("earnings").await[0]["status"], "failed", "the bonus goes with its referral");
        app.wait(1);
        let other = paths.iter().find(|path| **path != bearer).expect("another");
        app.put(other, json!({ "status": "converted" })).await.ok();
        app.wait(1);
        app.put(other, json!({ "status": "verified" })).await.ok();
        assert_eq!(app.all("earnings").await.len(), 2, "there are three again, and no bonus stands");
    }

    async fn a_bonus_that_somebody_else_brought_meanwhile_is_not_given_again(app: &TestApp) {
        let scan = app.a_scan().await;
        let program = scan["program_id"].as_str().expect("an id");
        let rule = json!({ "rule": {
            "commission": { "type": "percent", "basis_points": 1000 },
            "bonuses": [{ "verified_referrals": 1, "amount": 5000 }],
        } });
        app.post(&format!("/api/v1/programs/{program}/rules"), rule).await.ok();
        let (one, two) = (app.a_referral_from(&scan).await, app.a_referral_from(&scan).await);
        for (referral, status) in [(&one, "verified"), (&one, "rejected"), (&two, "verified"), (&one, "pending")] {
            app.wait(1);
            let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
            app.put(&path, json!({ "status": status })).await.ok();
        }
        let bonuses = app.all("earnings").await;
        let standing: Vec<_> = bonuses.iter().filter(|bonus| bonus["status"] != "failed").collect();
        assert_eq!((bonuses.len(), standing.len()), (2, 1), "{bonuses:?}");
    }

    async fn conversions_are_filtered_and_stay_with_their_account(app: &TestApp) {
        let referral = app.a_referral().await;
        let other = app.a_referral().await;
        let mine = app.post("/api/v1/conversions", order(&referral, 1)).await.ok();
        app.wait(1);
        let mut renewal = order(&other, 2);
        renewal["kind"] = json!("renewal");
        app.post("/api/v1/conversions", renewal).await.ok();
        for filter in [
            format!("referral_id={}", referral["id"].as_str().expect("an id")),
            format!("programId={}", referral["program_id"].as_str().expect("an id")),
            format!("student_id={}", referral["student_id"].as_str().expect("an id")),
            "order_id=order_1".to_owned(),
            "kind=purchase".to_owned(),
        ] {
            let page = app.get(&format!("/api/v1/conversions?{filter}")).await.ok();
            assert_eq!(page["conversions"], json!([mine]), "{filter}");
        }
        let stranger = app.stranger().await;
        assert!(stranger.all("conversions").await.is_empty());
        let id = mine["id"].as_str().expect("an id");
        stranger.get(&format!("/api/v1/conversions/{id}")).await.refused(404, "Conversion not found");
        stranger.post("/api/v1/conversions", order(&referral, 9)).await.refused(400, "Invalid referral_id: no such referral");
        let theirs = stranger.a_referral().await;
        stranger.post("/api/v1/conversions", order(&theirs, 1)).await.ok();
    }

    async fn what_cannot_be_bought_is_refused_field_by_field(app: &TestApp) {
        let referral = app.a_referral().await;
        for (field, value, code) in [
            ("amount", json!(0), "invalid_amount"), ("amount", json!(10.5), "invalid_amount"),
            ("amount", json!(100_000_000_000_i64), "invalid_amount"), ("currency", json!("XYZ"), "unknown_currency"),
            ("kind", json!("gift"), "unknown_value"), ("order_id", json!(""), "invalid_order_id"),
            ("order_id", json!(null), "missing"), ("occurred_at", json!("yesterday"), "invalid_timestamp"),
        ] {
            let mut body = order(&referral, 1);
            body[field] = value;
            let refused = app.post("/api/v1/conversions", body).await.refused_with(400);
            assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!(field), &json!(code)));
        }
        let program = referral["program_id"].as_str().expect("an id");
        let rule = json!({ "rule": { "commission": { "type": "flat", "amount": 500 } } });
        app.wait(1);
        app.post(&format!("/api/v1/programs/{program}/rules"), rule).await.ok();
        let mut body = order(&referral, 1);
        body["currency"] = json!("EUR");
        let refused = app.post("/api/v1/conversions", body).await.refused_with(409);
        assert_eq!(refused["code"], "rule_currency");
        assert!(app.all("conversions").await.is_empty(), "nothing was booked");
    }

    async fn what_has_not_happened_yet_is_refused(app: &TestApp) {
        let referral = app.a_referral().await;
        let mut body = order(&referral, 1);
        for late in ["2024-03-02T09:01:00Z", "9999-12-31T00:00:00Z"] {
            body["occurred_at"] = json!(late);
            app.post("/api/v1/conversions", body.clone()).await
                .refused(400, "occurred_at must not be more than a day in the future");
        }
        body["occurred_at"] = json!("2024-03-02T09:00:00Z");
        app.post("/api/v1/conversions", body).await.ok();
    }

    async fn a_rule_is_tried_on_what_was_bought(app: &TestApp) {
        let referral = app.a_referral().await;
        for number in 0..3 {
            app.wait(1);
            app.post("/api/v1/conversions", order(&referral, number)).await.ok();
        }
        let program = referral["program_id"].as_str().expect("an id");
        let path = format!("/api/v1/programs/{program}/rules:preview");
        let rule = json!({ "rule": { "commission": { "type": "tiers", "by": "conversions", "period": "month",
            "tiers": [{ "from": 0, "basis_points": 1000 }, { "from": 2, "basis_points": 2000 }] } } });
        let tried = app.post(&path, rule).await.ok();
        assert_eq!((&tried["from"], &tried["to"]), (&json!("2024-02-01"), &json!("2024-02-29")), "last month");
        assert_eq!(tried["totals"], json!([{
            "currency": "USD", "conversions": 3, "volume": 16500, "would_pay": 550 + 550 + 1100, "was_paid": 1650,
            "refused": 0,
        }]));
        assert_eq!(tried["lines"][2]["would_pay"], 1100);
        assert_eq!(earnings_of(app, &referral).await.len(), 3, "nothing was written");
    }
}
