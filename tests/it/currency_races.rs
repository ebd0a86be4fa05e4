//! The currency of an earning is corrected while its referral is decided about.

use std::time::Duration;

use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use futures_util::future::{join, join3};
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Database, TestApp, on_both};

/// What stands of an earning, and what is held of its ambassador's.
async fn left(app: &TestApp, referral: &Value, earning: &Value) -> (i64, i64) {
    let explained = app
        .get(&format!("/api/v1/earnings/{}/explain", id(earning)))
        .await
        .ok();
    let mut held = 0;
    for currency in ["USD", "EUR"] {
        held += app.balance(referral, currency, None).await["pending"]
            .as_i64()
            .unwrap_or(0);
    }
    (explained["standing"].as_i64().expect("a number"), held)
}

on_both! {
    async fn a_decision_waits_for_a_correction_that_is_under_way(app: &TestApp) {
        for (status, expected) in [("rejected", (0, 0)), ("verified", (550, 0))] {
            let referral = app.a_referral().await;
            let earning = app.an_earning_of(&referral).await;
            // So that there is a balance in euros, which the correction has to wait for.
            let other = app.another_of(&referral).await;
            let other = json!({ "referral_id": other["id"], "amount": 1, "currency": "EUR" });
            let other = app.post("/api/v1/earnings", other).await.ok();
            app.put(&format!("/api/v1/earnings/{}", id(&other)), json!({ "status": "paid" })).await.ok();
            let mut holder = app.database.connect();
            let hold = match app.database.is_sqlite() {
                true => "BEGIN IMMEDIATE",
                false => "BEGIN; SELECT 1 FROM balances WHERE currency = 'EUR' FOR UPDATE",
            };
            holder.batch_execute(hold).expect("held");
            let path = format!("/api/v1/earnings/{}", id(&earning));
            let corrected = app.put(&path, json!({ "currency": "EUR" }));
            let decided = async {
                sleep(Duration::from_millis(300)).await;
                app.put(&format!("/api/v1/referrals/{}", id(&referral)), json!({ "status": status })).await
            };
            let let_go = async {
                sleep(Duration::from_millis(600)).await;
                holder.batch_execute("COMMIT").expect("let go");
            };
            let (corrected, decided, ()) = join3(corrected, decided, let_go).await;
            assert_eq!(corrected.ok()["currency"], "EUR");
            decided.ok();
            assert_eq!(left(app, &referral, &earning).await, expected, "{status}");
        }
    }
}

#[actix_web::test]
async fn corrections_and_decisions_at_once_leave_nothing_on_a_rejected_referral_and_nothing_held() {
    let app = TestApp::start(Database::postgres()).await;
    for round in 0..40 {
        let referral = app.a_referral().await;
        let earning = app.an_earning_of(&referral).await;
        let (path, status) = (
            format!("/api/v1/earnings/{}", id(&earning)),
            ["rejected", "verified"][round % 2],
        );
        let wait = Duration::from_micros(400 * (round as u64 % 16));
        let corrected = app.put(&path, json!({ "currency": "EUR" }));
        let decided = async {
            sleep(wait).await;
            let path = format!("/api/v1/referrals/{}", id(&referral));
            app.put(&path, json!({ "status": status })).await.ok();
        };
        let (corrected, ()) = join(corrected, decided).await;
        assert!(
            [200, 409].contains(&corrected.status),
            "{}",
            corrected.text()
        );
        let (standing, held) = left(&app, &referral, &earning).await;
        assert_eq!(held, 0, "{status}");
        assert_eq!(standing, if status == "rejected" { 0 } else { 550 });
    }
    app.stop().await;
}
