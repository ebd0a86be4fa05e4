//! Money given back: in part, in full, before and after the hold and the payout, and before its order.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{TestApp, on_both};

/// An order of 55.00, of which 5.50 are commission.
async fn an_order(app: &TestApp) -> Value {
    let referral = app.a_referral().await;
    let body = json!({ "referral_id": referral["id"], "order_id": "order_771", "amount": 5500 });
    app.wait(1);
    app.post("/api/v1/conversions", body).await.ok()
}

fn refund(key: &str, amount: Option<i64>) -> Value {
    json!({ "order_id": "order_771", "amount": amount, "idempotency_key": key })
}

on_both! {
    async fn partial_refunds_add_up_to_the_whole_commission(app: &TestApp) {
        an_order(app).await;
        let mut reversed = 0;
        for (number, amount) in [1, 1833, 1833, 1833].into_iter().enumerate() {
            app.wait(1);
            let refund = app.post("/api/v1/refunds", refund(&format!("note_{number}"), Some(amount))).await.ok();
            assert_eq!((&refund["status"], &refund["amount"]), (&json!("applied"), &json!(amount)));
            reversed += refund["reversed_amount"].as_i64().expect("an amount");
        }
        assert_eq!(reversed, 550);
        let earning = app.all("earnings").await.remove(0);
        assert_eq!((&earning["amount"], &earning["status"]), (&json!(550), &json!("failed")), "nothing is left to pay");
        assert_eq!(app.all("conversions").await[0]["refunded_amount"], 5500);
        let refused = app.post("/api/v1/refunds", refund("note_9", None)).await.refused_with(409);
        assert_eq!(refused["code"], "refund_exceeds_order");
    }

    async fn a_refund_without_an_amount_is_all_that_is_left(app: &TestApp) {
        an_order(app).await;
        app.post("/api/v1/refunds", refund("note_1", Some(1100))).await.ok();
        app.wait(1);
        let rest = app.post("/api/v1/refunds", refund("note_2", None)).await.ok();
        assert_eq!((&rest["amount"], &rest["reversed_amount"]), (&json!(4400), &json!(440)));
    }

    async fn a_refund_is_made_once_per_key_and_needs_one(app: &TestApp) {
        let conversion = an_order(app).await;
        let answers = join_all((0..20).map(|_| app.post("/api/v1/refunds", refund("note_1", Some(1100))))).await;
        let first = answers[0].ok();
        assert_eq!(first, json!({
            "id": first["id"], "order_id": "order_771", "status": "applied", "conversion_id": conversion["id"],
            "amount": 1100, "currency": "USD", "reversed_amount": 110, "reason": null, "idempotency_key": "note_1",
            "created_at": first["created_at"], "applied_at": first["created_at"], "metadata": {},
        }));
        assert!(answers.iter().all(|answer| answer.ok() == first));
        let refused = app.post("/api/v1/refunds", refund("note_1", Some(1200))).await.refused_with(409);
        assert_eq!(refused["code"], "idempotency_key_reused");
        let body = json!({ "order_id": "order_771" });
        app.post("/api/v1/refunds", body).await.refused(400, "Missing required field: idempotency_key");
        assert_eq!(app.all("refunds").await, vec![first]);
    }

    async fn what_does_not_fit_the_order_is_refused_and_nothing_is_booked(app: &TestApp) {
        an_order(app).await;
        let refused = app.post("/api/v1/refunds", refund("note_1", Some(5501))).await.refused_with(409);
        assert_eq!(refused["code"], "refund_exceeds_order");
        let mut other = refund("note_2", Some(100));
        other["currency"] = json!("EUR");
        assert_eq!(app.post("/api/v1/refunds", other).await.refused_with(409)["code"], "currency_mismatch");
        assert!(app.all("refunds").await.is_empty());
        assert_eq!(app.all("conversions").await[0]["refunded_amount"], 0);
    }

    async fn many_refunds_at_once_never_exceed_the_order(app: &TestApp) {
        an_order(app).await;
        let keys: Vec<String> = (0..12).map(|number| format!("note_{number}")).collect();
        let answers = join_all(keys.iter().map(|key| app.post("/api/v1/refunds", refund(key, Some(1000))))).await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((done.len(), refused.len()), (5, 7));
        assert!(refused.iter().all(|answer| answer.status == 409));
    }

    async fn a_refund_that_comes_first_waits_for_its_order(app: &TestApp) {
        let waiting = app.post("/api/v1/refunds", refund("note_1", Some(1100))).await.ok();
        assert_eq!((&waiting["status"], &waiting["conversion_id"]), (&json!("waiting"), &json!(null)));
        let conversion = an_order(app).await;
        assert_eq!(conversion["refunded_amount"], 1100);
        let page = app.get("/api/v1/refunds?status=applied&order_id=order_771").await.ok();
        let applied = &page["refunds"][0];
        assert_eq!((&applied["conversion_id"], &applied["reversed_amount"]), (&conversion["id"], &json!(110)));
        assert_eq!(applied["id"], waiting["id"]);
    }

    async fn an_order_that_its_waiting_refunds_exceed_is_refused(app: &TestApp) {
        app.post("/api/v1/refunds", refund("note_1", Some(5501))).await.ok();
        let referral = app.a_referral().await;
        let body = json!({ "referral_id": referral["id"], "order_id": "order_771", "amount": 5500 });
        let refused = app.post("/api/v1/conversions", body).await.refused_with(409);
        assert_eq!(refused["code"], "refund_exceeds_order");
        assert!(app.all("conversions").await.is_empty() && app.all("earnings").await.is_empty());
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        assert_eq!(app.get(&path).await.ok()["status"], "pending", "all or nothing");
    }

    async fn an_order_and_its_refund_at_once_always_meet(app: &TestApp) {
        let referral = app.a_referral().await;
        for number in 0..20 {
            let order = json!({ "referral_id": referral["id"], "order_id": format!("o{number}"), "amount": 1000 });
            let refund = json!({ "order_id": format!("o{number}"), "idempotency_key": format!("r{number}") });
            let (one, two) = tokio::join!(
                app.post("/api/v1/conversions", order), app.post("/api/v1/refunds", refund)
            );
            one.ok();
            two.ok();
        }
        let refunds = app.all("refunds").await;
        assert!(refunds.iter().all(|refund| refund["status"] == "applied"), "{refunds:?}");
        assert!(app.all("earnings").await.iter().all(|earning| earning["status"] == "failed"));
    }

    async fn refunds_stay_with_their_account(app: &TestApp) {
        an_order(app).await;
        let refund_made = app.post("/api/v1/refunds", refund("note_1", Some(100))).await.ok();
        let stranger = app.stranger().await;
        let id = refund_made["id"].as_str().expect("an id");
        stranger.get(&format!("/api/v1/refunds/{id}")).await.refused(404, "Refund not found");
        let theirs = stranger.post("/api/v1/refunds", refund("note_1", Some(100))).await.ok();
        assert_eq!(theirs["status"], "waiting", "another account's order is not known");
        assert_eq!(stranger.all("refunds").await, vec![theirs]);
    }
}
