//! A rejection is taken back, and others have earned under the same caps meanwhile.

use std::time::Duration;

use actix_web::rt::time::sleep;
use futures_util::future::join3;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Caller, TestApp, on_both};
use crate::verify::verify;

/// A signup in a program that pays ten percent under caps.
async fn capped(app: &Caller, caps: Value) -> Value {
    let referral = app
        .a_referral_paid(json!({ "available_when": "hold_days", "hold_days": 0 }))
        .await;
    let path = format!(
        "/api/v1/programs/{}/rules",
        referral["program_id"].as_str().expect("an id")
    );
    let rule = json!({ "rule": { "commission": { "type": "percent", "basis_points": 1000 }, "caps": caps } });
    app.post(&path, rule).await.ok();
    referral
}

async fn reopens(app: &Caller, referral: &Value) {
    app.decides(referral, "pending").await;
    app.decides(referral, "verified").await;
}

async fn available(app: &TestApp, referral: &Value) -> i64 {
    let (said, content) = verify(app);
    assert!(content, "{said}");
    app.balance(referral, "USD", None).await["available"]
        .as_i64()
        .expect("a number")
}

async fn conversion(app: &Caller, made: &Value) -> Value {
    app.get(&format!("/api/v1/conversions/{}", id(made)))
        .await
        .ok()
}

on_both! {
    async fn what_was_bought_while_rejected_is_given_under_the_cap_of_the_referral(app: &TestApp) {
        let cap = json!({ "per_referral": 1000, "per_ambassador": { "amount": 1500, "period": "all_time" } });
        let referral = capped(app, cap).await;
        app.buys(&referral, "order 0", 10_000, "USD").await;
        app.decides(&referral, "rejected").await;
        let mut later = Vec::new();
        for n in 1..5 {
            later.push(app.buys(&referral, &format!("order {n}"), 10_000, "USD").await);
        }
        assert_eq!(later[3]["commission"], 1000);
        app.wait(60);
        reopens(app, &referral).await;
        assert_eq!(available(app, &referral).await, 1000, "the cap, once");
        let last = conversion(app, &later[3]).await;
        assert_eq!((&last["commission"], &last["updated_at"]), (&json!(0), &json!("2024-03-01T09:01:00Z")));
        assert_eq!(last["steps"][1], json!({
            "what": "reopened",
            "text": "When the rejection was taken back, the rule's caps left 0.00 USD for what was not refunded: \
                the commission on the whole is 0.00 USD from then on",
            "figures": { "amount": 0, "at": 1_709_283_660, "due": 0 },
        }));
        // It is not computed again, and a refund of it takes nothing back.
        assert_eq!(app.refunds("order 4", 10_000, "all").await["reversed_amount"], 0);
        app.decides(&referral, "rejected").await;
        reopens(app, &referral).await;
        assert_eq!(available(app, &referral).await, 1000);
    }

    async fn what_others_earned_meanwhile_is_counted_under_the_cap_of_the_ambassador(app: &TestApp) {
        let a = capped(app, json!({ "per_ambassador": { "amount": 1000, "period": "month" } })).await;
        let b = app.another_of(&a).await;
        let of_a = app.buys(&a, "of a", 10_000, "USD").await;
        app.decides(&a, "rejected").await;
        app.refunds("of a", 2_500, "a quarter").await;
        let of_b = app.buys(&b, "of b", 7_000, "USD").await;
        assert_eq!(of_b["commission"], 700);
        app.wait(60);
        reopens(app, &a).await;
        assert_eq!(available(app, &a).await, 1000, "300 are left of the 750 that are due");
        assert_eq!(conversion(app, &of_a).await["commission"], 400, "of which three quarters are 300");
        let earnings = app.all("earnings").await;
        let steps = app.get(&format!("/api/v1/earnings/{}/explain", id(&earnings[2]))).await.ok();
        let told: Vec<&str> = steps["steps"].as_array().expect("steps").iter()
            .map(|step| step["what"].as_str().expect("a word")).collect();
        assert_eq!(told[..4], ["conversion", "rule_percent", "rule_reopened", "reinstatement"]);
        let before = app.get(&format!("/api/v1/earnings/{}/explain", id(&earnings[0]))).await.ok();
        assert_eq!(before["steps"][2]["what"], "commission", "it was earned before that");
        // Partial refunds go on adding up to the whole.
        assert_eq!(app.refunds("of a", 2_500, "another").await["reversed_amount"], 100);
        assert_eq!(app.refunds("of a", 5_000, "the rest").await["reversed_amount"], 200);
        assert_eq!(available(app, &a).await, 700);
    }

    async fn a_reopening_a_refund_and_a_purchase_at_once_keep_the_cap(app: &TestApp) {
        for round in 0..10 {
            let a = capped(app, json!({ "per_ambassador": { "amount": 1000, "period": "month" } })).await;
            let b = app.another_of(&a).await;
            let (of_a, of_b) = (format!("a {round}"), format!("b {round}"));
            app.buys(&a, &of_a, 10_000, "USD").await;
            app.decides(&a, "rejected").await;
            let buying = async {
                sleep(Duration::from_millis(round % 4)).await;
                app.buys(&b, &of_b, 6_000, "USD").await
            };
            let refunding = async {
                sleep(Duration::from_millis(round % 3)).await;
                app.refunds(&of_a, 3_000, &of_a).await
            };
            join3(app.decides(&a, "pending"), buying, refunding).await;
            let balance = app.balance(&a, "USD", None).await;
            let stands = balance["available"].as_i64().expect("a number");
            assert!(stands <= 1000, "{balance}");
        }
        let (said, content) = verify(app);
        assert!(content, "{said}");
    }

    async fn where_there_is_room_everything_is_given_again(app: &TestApp) {
        let a = capped(app, json!({ "per_ambassador": { "amount": 1000, "period": "month" } })).await;
        let b = app.another_of(&a).await;
        app.buys(&a, "of a", 10_000, "USD").await;
        app.decides(&a, "rejected").await;
        app.buys(&b, "of b", 10_000, "USD").await;
        app.decides(&b, "rejected").await;
        reopens(app, &a).await;
        reopens(app, &b).await;
        assert_eq!(available(app, &a).await, 1000, "who is back first has it");
        for (list, amount) in [("of a", 1000), ("of b", 0)] {
            let page = app.get(&format!("/api/v1/conversions?order_id={}", list.replace(' ', "%20"))).await.ok();
            assert_eq!(page["conversions"][0]["commission"], amount, "{list}");
        }
    }
}
