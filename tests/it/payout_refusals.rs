//! Payouts that are refused, and those of others.

use handbill::payday::pay_day;
use serde_json::{Value, json};

use crate::payouts::{a_paying_program, a_referral_in, collect, earn, id};
use crate::support::on_both;

on_both! {
    async fn bad_requests_say_so_and_pay_nothing(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        earn(app, &referral, 550, "USD").await;
        let post = async |body: Value| app.post("/api/v1/payouts:collect", body).await;
        post(json!({})).await.refused(400, "Missing required field: program_id");
        for dry_run in [true, false] {
            let unknown = json!({ "program_id": "prog_unknown", "dry_run": dry_run });
            post(unknown).await.refused(400, "Invalid program_id: no such program");
        }
        for bad in [json!("true"), json!(1), json!([])] {
            let body = json!({ "program_id": program["id"], "dry_run": bad });
            post(body).await.refused(400, "dry_run must be true or false");
        }
        post(json!({ "program_id": program["id"], "idempotency_key": "\u{1f}schedule" })).await.refused_with(400);
        assert_eq!(app.all("payouts").await, Vec::<Value>::new());
        let payout = collect(app, &program).await["payouts"][0].clone();
        let path = format!("/api/v1/payouts/{}", id(&payout));
        for (bad, message) in [
            (json!({ "status": "sent" }), "status must be one of processing, paid, failed, cancelled"),
            (json!({ "reference_id": 7 }), "reference_id must be a string"),
            (json!({ "failure_reason": "x".repeat(2001) }), "failure_reason must be at most 2000 characters"),
            (json!({ "metadata": [] }), "metadata must be an object"),
        ] {
            app.put(&path, bad).await.refused(400, message);
        }
        app.put("/api/v1/payouts/payout_unknown", json!({ "status": 1 })).await.refused(404, "Payout not found");
    }

    async fn anothers_payouts_are_nobodys(app: &TestApp) {
        let stranger = app.stranger().await;
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        earn(app, &referral, 550, "USD").await;
        let body = json!({ "program_id": program["id"] });
        stranger.post("/api/v1/payouts:collect", body).await.refused(400, "Invalid program_id: no such program");
        let collected = collect(app, &program).await;
        let payout = id(&collected["payouts"][0]);
        for tail in ["", "/history", "/earnings"] {
            stranger.get(&format!("/api/v1/payouts/{payout}{tail}")).await.refused(404, "Payout not found");
        }
        stranger.put(&format!("/api/v1/payouts/{payout}"), json!({ "status": "paid" })).await.refused(404, "Payout not found");
        let run = format!("/api/v1/payouts/collections/{}", id(&collected));
        stranger.get(&run).await.refused(404, "Collection not found");
        for list in [format!("collection_id={}", id(&collected)), format!("program_id={}", id(&program)), String::new()] {
            assert_eq!(stranger.get(&format!("/api/v1/payouts?{list}")).await.ok()["payouts"], json!([]));
            assert_eq!(stranger.get(&format!("/api/v1/payouts.csv?{list}")).await.text().lines().count(), 1);
        }
        assert_eq!(stranger.get("/api/v1/payouts/collections").await.ok()["collections"], json!([]));
        pay_day(&app.app).await.expect("done");
        assert_eq!(app.all("payouts").await[0]["status"], "processing", "it was not touched");
    }
}
