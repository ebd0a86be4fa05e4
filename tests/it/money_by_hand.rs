//! Somebody has changed money with SQL.

use std::time::Duration;

use actix_web::rt::time::timeout;
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::payouts::{a_paying_program, a_referral_in, collect, dry_run, earn, paid};
use crate::support::money::id;
use crate::support::on_both;

on_both! {
    async fn a_balance_changed_by_hand_fails_who_needs_it_and_keeps_nobody_else_waiting(app: &TestApp) {
        let referral = app.a_referral_paid(json!({ "available_when": "hold_days", "hold_days": 0 })).await;
        app.buys(&referral, "order_1", 5_000, "USD").await;
        let earning = app.all("earnings").await.remove(0);
        app.put(&format!("/api/v1/earnings/{}", id(&earning)), json!({ "status": "paid" })).await.ok();
        app.database.connect().batch_execute("UPDATE balances SET available = 100").expect("a balance by hand");
        let refund = json!({ "order_id": "order_1", "idempotency_key": "refund_1" });
        let refunding = app.post("/api/v1/refunds", refund.clone());
        let refused = timeout(Duration::from_secs(20), refunding).await.expect("an answer").refused_with(500);
        assert_eq!(refused["error"], "Internal Server Error");
        assert_eq!(app.all("refunds").await.len(), 0, "nothing of it stays");
        let other = app.a_referral_paid(json!({})).await;
        app.buys(&other, "order_2", 5_000, "USD").await;
        app.database.connect().batch_execute("UPDATE balances SET available = 0").expect("as it was");
        assert_eq!(app.post("/api/v1/refunds", refund).await.ok()["reversed_amount"], 500);
        assert_eq!(app.balance(&referral, "USD", None).await["owed_back"], 500);
    }

    async fn a_collection_passes_over_a_balance_changed_by_hand_and_pays_the_others(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let (odd, even) = (a_referral_in(app, &program).await, a_referral_in(app, &program).await);
        for referral in [&odd, &even] {
            earn(app, referral, 550, "USD").await;
        }
        let by_hand = format!("UPDATE balances SET available = 750 WHERE ambassador_id = '{}'", odd["student_id"].as_str().expect("an id"));
        app.database.connect().batch_execute(&by_hand).expect("a balance by hand");
        let foreseen = dry_run(app, &program).await;
        let collected = collect(app, &program).await;
        assert_eq!((&collected["status"], &collected["totals"]),
            (&json!("collected"), &json!([{ "currency": "USD", "payouts": 2, "amount": 1100 }])));
        assert_eq!(paid(&foreseen), paid(&collected));
        assert_eq!(collect(app, &program).await["totals"], json!([]));
    }
}
