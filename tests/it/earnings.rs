//! `/api/v1/earnings`.

use serde_json::{Value, json};

use crate::support::on_both;

fn path_of(earning: &Value) -> String {
    format!(
        "/api/v1/earnings/{}",
        earning["id"].as_str().expect("an id")
    )
}

on_both! {
    async fn an_earning_has_exactly_the_published_keys(app: &TestApp) {
        let referral = app.a_referral().await;
        let body = json!({
            "referral_id": referral["id"], "amount": 1250.0, "currency": "eur", "type": "purchase",
            "description": "Commission for order 771", "metadata": { "order_id": "771", "commission_rate": "10%" },
            "status": "paid", "paid_at": "2024-01-01T00:00:00Z",
        });
        let earning = app.post("/api/v1/earnings", body).await.ok();
        assert_eq!(earning, json!({
            "id": earning["id"], "referral_id": referral["id"], "amount": 1250, "currency": "EUR", "type": "purchase",
            "description": "Commission for order 771", "status": "pending", "reference_id": null,
            "created_at": "2024-03-01T09:00:00Z", "paid_at": null, "updated_at": "2024-03-01T09:00:00Z",
            "metadata": { "order_id": "771", "commission_rate": "10%" },
        }));
        assert_eq!(app.get(&path_of(&earning)).await.ok(), earning);
        assert_eq!(app.all("earnings").await, vec![earning]);
    }

    async fn the_currency_is_the_programs_unless_named(app: &TestApp) {
        let referral = app.a_referral().await;
        assert_eq!(app.an_earning_of(&referral).await["currency"], "USD");
        let program = format!("/api/v1/programs/{}", referral["program_id"].as_str().expect("an id"));
        app.put(&program, json!({ "payout_currency": "JPY" })).await.ok();
        assert_eq!(app.an_earning_of(&referral).await["currency"], "JPY");
    }

    async fn an_amount_is_a_whole_number_of_minor_units(app: &TestApp) {
        let referral = app.a_referral().await;
        let message = "amount must be a whole number of minor units, 1 to 99999999999";
        for bad in [json!(0), json!(-1), json!(10.5), json!("550"), json!(100_000_000_000_i64), json!(1e300), json!(true), json!([1])] {
            let body = json!({ "referral_id": referral["id"], "amount": bad });
            app.post("/api/v1/earnings", body).await.refused(400, message);
        }
        let largest = json!({ "referral_id": referral["id"], "amount": 99_999_999_999_i64 });
        let earning = app.post("/api/v1/earnings", largest).await.ok();
        assert_eq!(earning["amount"], 99_999_999_999_i64);
        app.put(&path_of(&earning), json!({ "amount": 0.5 })).await.refused(400, message);
        for bad in ["XXX1", "ZZZ", "", "U$D", "XXX", "XTS", "HRK"] {
            let body = json!({ "referral_id": referral["id"], "amount": 1, "currency": bad });
            app.post("/api/v1/earnings", body).await
                .refused(400, "currency must be an ISO 4217 currency code such as USD");
        }
        assert_eq!(app.all("earnings").await.len(), 1);
    }

    async fn an_earning_needs_a_referral_that_is_not_rejected(app: &TestApp) {
        app.post("/api/v1/earnings", json!({})).await.refused(400, "Missing required field: referral_id");
        let unknown = json!({ "referral_id": "ref_unknown", "amount": 1 });
        app.post("/api/v1/earnings", unknown).await.refused(400, "Invalid referral_id: no such referral");
        let referral = app.a_referral().await;
        let body = json!({ "referral_id": referral["id"], "amount": 1 });
        app.post("/api/v1/earnings", json!({ "referral_id": referral["id"] })).await
            .refused(400, "Missing required field: amount");
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        for status in ["converted", "verified"] {
            app.put(&path, json!({ "status": status })).await.ok();
            app.post("/api/v1/earnings", body.clone()).await.ok();
        }
        app.put(&path, json!({ "status": "rejected" })).await.ok();
        let refused = app.post("/api/v1/earnings", body).await.refused_with(409);
        assert_eq!(refused["code"], "referral_rejected");
        assert_eq!(app.all("earnings").await.len(), 2);
    }

    async fn earnings_are_filtered_in_both_spellings(app: &TestApp) {
        let (one, two) = (app.a_referral().await, app.a_referral().await);
        let (first, second) = (app.an_earning_of(&one).await, app.an_earning_of(&two).await);
        let second = app.put(&path_of(&second), json!({ "status": "processing" })).await.ok();
        let get = async |query: String| app.get(&format!("/api/v1/earnings?{query}")).await.ok()["earnings"].clone();
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        assert_eq!(get(format!("referral_id={}", text(&one["id"]))).await, json!([first]));
        assert_eq!(get(format!("referralId={}", text(&one["id"]))).await, json!([first]));
        assert_eq!(get(format!("program_id={}", text(&two["program_id"]))).await, json!([second]));
        assert_eq!(get(format!("programId={}&status=processing", text(&two["program_id"]))).await, json!([second]));
        assert_eq!(get(format!("student_id={}", text(&one["student_id"]))).await, json!([first]));
        assert_eq!(get("status=paid".to_owned()).await, json!([]));
        app.get("/api/v1/earnings?status=x").await
            .refused(400, "status must be one of pending, processing, paid, failed");
    }

    async fn a_payment_moves_only_as_the_table_says(app: &TestApp) {
        let statuses = ["pending", "processing", "paid", "failed"];
        let way_to = |status: &str| match status {
            "pending" => vec![],
            "processing" => vec!["processing"],
            "paid" => vec!["paid"],
            _ => vec!["processing", "failed"],
        };
        let allowed = |from: &str| match from {
            "pending" => vec!["processing", "paid"],
            "processing" => vec!["paid", "failed"],
            "failed" => vec!["processing"],
            _ => vec![],
        };
        let referral = app.a_referral().await;
        for from in statuses {
            for to in statuses {
                let path = path_of(&app.an_earning_of(&referral).await);
                for step in way_to(from) {
                    app.put(&path, json!({ "status": step })).await.ok();
                }
                let before = app.get(&path).await.ok();
                app.wait(1);
                let answer = app.put(&path, json!({ "status": to })).await;
                if from == to {
                    assert_eq!(answer.ok(), before);
                } else if allowed(from).contains(&to) {
                    let after = answer.ok();
                    assert_eq!(after["status"], to);
                    let paid_at = if to == "paid" { after["updated_at"].clone() } else { json!(null) };
                    assert_eq!(after["paid_at"], paid_at, "set on entering paid");
                } else {
                    answer.refused_with(409);
                    assert_eq!(app.get(&path).await.ok(), before, "nothing changed");
                }
            }
        }
        let path = path_of(&app.an_earning_of(&referral).await);
        app.put(&path, json!({ "status": "paid" })).await.ok();
        app.put(&path, json!({ "status": "pending" })).await
            .refused(409, "The earning is paid and cannot become pending; it cannot change any more");
    }

    async fn a_payment_is_noted_with_reference_and_metadata(app: &TestApp) {
        let referral = app.a_referral().await;
        let body = json!({
            "referral_id": referral["id"], "amount": 550, "metadata": { "order_id": "771", "commission_rate": "10%" },
        });
        let earning = app.post("/api/v1/earnings", body).await.ok();
        app.wait(3600);
        let changes = json!({
            "status": "paid", "reference_id": "payout_456def", "description": "paid", "note": "by transfer",
            "metadata": { "payout_id": "p1", "commission_rate": null }, "referral_id": "ref_other",
            "paid_at": "2020-01-01T00:00:00Z",
        });
        let paid = app.put(&path_of(&earning), changes).await.ok();
        let mut expected = earning.clone();
        for (key, value) in [
            ("status", json!("paid")), ("reference_id", json!("payout_456def")), ("description", json!("paid")),
            ("paid_at", json!("2024-03-01T10:00:00Z")), ("updated_at", json!("2024-03-01T10:00:00Z")),
            ("metadata", json!({ "order_id": "771", "payout_id": "p1" })),
        ] {
            expected[key] = value;
        }
        assert_eq!(paid, expected);
        let history = app.get(&format!("{}/history", path_of(&earning))).await.ok();
        assert_eq!(history["history"][0]["note"], "by transfer");
        let emptied = app.put(&path_of(&earning), json!({ "reference_id": null, "type": null, "description": null })).await.ok();
        assert_eq!((&emptied["reference_id"], &emptied["description"]), (&json!(null), &json!(null)));
    }

    async fn money_can_be_corrected_until_it_is_paid(app: &TestApp) {
        let earning = app.an_earning().await;
        let path = path_of(&earning);
        let changed = app.put(&path, json!({ "amount": 600, "currency": "EUR" })).await.ok();
        assert_eq!((&changed["amount"], &changed["currency"]), (&json!(600), &json!("EUR")));
        app.put(&path, json!({ "status": "paid", "amount": 650 })).await.ok();
        for change in [json!({ "amount": 651 }), json!({ "currency": "USD" })] {
            let refused = app.put(&path, change).await.refused_with(409);
            assert_eq!(refused["code"], "earning_paid");
        }
        let paid = app.get(&path).await.ok();
        assert_eq!(app.put(&path, paid.clone()).await.ok(), paid, "what was read can be sent back");
        app.put("/api/v1/earnings/earn_unknown", json!({ "amount": -1 })).await.refused(404, "Earning not found");
    }
}
