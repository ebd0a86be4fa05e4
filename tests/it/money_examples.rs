//! The worked examples of docs/money.md, performed: whoever changes a number here changes it there.

use handbill::payouts::model::PayoutStatus;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{TestApp, on_both};

/// The accounts `[pending, available, in_payout, paid, owed_back, earned, reversed]`.
async fn accounts(app: &TestApp, referral: &Value, currency: &str) -> [i64; 7] {
    let balance = app.balance(referral, currency, None).await;
    [
        "pending",
        "available",
        "in_payout",
        "paid",
        "owed_back",
        "earned",
        "reversed",
    ]
    .map(|name| balance[name].as_i64().expect("a number"))
}

/// The earnings of an ambassador, oldest first.
async fn statuses(app: &TestApp) -> Vec<Value> {
    let earnings = app.all("earnings").await;
    earnings
        .iter()
        .map(|earning| earning["status"].clone())
        .collect()
}

on_both! {
    /// Example 1.
    async fn a_commission_is_earned_released_and_paid_out(app: &TestApp) {
        let referral = app.a_referral_paid(json!({ "minimum_payout": 500 })).await;
        assert_eq!(app.buys(&referral, "A1", 5_500, "USD").await["commission"], 550);
        assert_eq!(accounts(app, &referral, "USD").await, [550, 0, 0, 0, 0, 550, 0]);
        assert!(app.collects(&referral).await.is_empty(), "it is held");
        app.decides(&referral, "verified").await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 550, 0, 0, 0, 550, 0]);
        let payouts = app.collects(&referral).await;
        assert_eq!((payouts.len(), payouts[0].amount.get()), (1, 550));
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 550, 0, 0, 550, 0]);
        assert_eq!(statuses(app).await, ["processing"]);
        assert!(app.collects(&referral).await.is_empty(), "nothing is paid twice");
        app.settles(&payouts[0].id, PayoutStatus::Paid).await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 0, 550, 0, 550, 0]);
        assert_eq!(statuses(app).await, ["paid"]);
    }

    /// Example 2.
    async fn refunds_in_parts_add_up_to_the_whole(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        assert_eq!(app.buys(&referral, "B1", 999, "USD").await["commission"], 99, "rounded down");
        for (key, reversed, left) in [("one", 33, 66), ("two", 33, 33), ("three", 33, 0)] {
            assert_eq!(app.refunds("B1", 333, key).await["reversed_amount"], reversed);
            assert_eq!(accounts(app, &referral, "USD").await, [left, 0, 0, 0, 0, 99, 99 - left]);
        }
        assert_eq!(app.buys(&referral, "B2", 1_005, "USD").await["commission"], 100);
        assert_eq!(app.refunds("B2", 1, "four").await["reversed_amount"], 1, "99.9 is 99");
        assert_eq!(app.refunds("B2", 4, "five").await["reversed_amount"], 0, "99.5 … is 99 too");
        assert_eq!(statuses(app).await, ["failed", "pending"]);
    }

    /// Example 3.
    async fn a_refund_after_the_payout_is_settled_in_the_next_one(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        app.decides(&referral, "verified").await;
        app.buys(&referral, "C1", 10_000, "USD").await;
        let payouts = app.collects(&referral).await;
        app.settles(&payouts[0].id, PayoutStatus::Paid).await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 0, 1_000, 0, 1_000, 0]);
        assert_eq!(app.refunds("C1", 4_000, "late").await["reversed_amount"], 400);
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 0, 1_000, 400, 1_000, 400]);
        app.buys(&referral, "C2", 7_000, "USD").await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 300, 0, 1_000, 0, 1_700, 400]);
        let payouts = app.collects(&referral).await;
        assert_eq!(payouts[0].amount.get(), 300);
        app.settles(&payouts[0].id, PayoutStatus::Paid).await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 0, 1_300, 0, 1_700, 400]);
        assert_eq!(statuses(app).await, ["paid", "paid"]);
        let second = &app.all("earnings").await[1];
        let story = app.get(&format!("/api/v1/earnings/{}/explain", id(second))).await.ok();
        let said = |what: &str| {
            let steps = story["steps"].as_array().expect("steps");
            steps.iter().find(|step| step["what"] == what).expect("a step")["text"].clone()
        };
        assert_eq!(said("set_off"), "4.00 USD was set off against what was owed back");
        let payout = payouts[0].id.as_str();
        assert_eq!(said("payout_paid"), format!("3.00 USD arrived with {payout}"));
    }

    /// Example 4.
    async fn yen_have_no_decimals_and_dinars_three(app: &TestApp) {
        let referral = app.a_referral_paid(json!({ "payout_currency": "JPY" })).await;
        app.decides(&referral, "verified").await;
        assert_eq!(app.buys(&referral, "D1", 1_999, "JPY").await["commission"], 199);
        assert_eq!(app.buys(&referral, "D2", 12_345, "KWD").await["commission"], 1_234);
        assert_eq!(accounts(app, &referral, "JPY").await, [0, 199, 0, 0, 0, 199, 0]);
        assert_eq!(accounts(app, &referral, "KWD").await, [0, 1_234, 0, 0, 0, 1_234, 0]);
        let payouts = app.collects(&referral).await;
        let mut paid: Vec<_> = payouts.iter().map(|payout| payout.currency.written(payout.amount.get())).collect();
        paid.sort();
        assert_eq!(paid, ["1.234 KWD", "199 JPY"]);
    }

    /// Example 5.
    async fn a_refund_may_come_before_its_order(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        let early = app.refunds("E1", 2_000, "early").await;
        assert_eq!(early["status"], "waiting");
        app.buys(&referral, "E1", 5_000, "USD").await;
        assert_eq!(accounts(app, &referral, "USD").await, [300, 0, 0, 0, 0, 500, 200]);
        let now = app.get(&format!("/api/v1/refunds/{}", id(&early))).await.ok();
        assert_eq!((&now["status"], &now["reversed_amount"]), (&json!("applied"), &json!(200)));
    }

    /// Example 6.
    async fn a_rejection_takes_back_and_its_end_gives_again(app: &TestApp) {
        let referral = app.a_referral_paid(json!({ "available_when": "hold_days", "hold_days": 14 })).await;
        app.buys(&referral, "F1", 8_000, "USD").await;
        app.wait(14 * 86_400);
        assert_eq!(app.releases().await, 1);
        let payouts = app.collects(&referral).await;
        app.settles(&payouts[0].id, PayoutStatus::Paid).await;
        app.buys(&referral, "F2", 3_000, "USD").await;
        assert_eq!(accounts(app, &referral, "USD").await, [300, 0, 0, 800, 0, 1_100, 0]);
        app.decides(&referral, "rejected").await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 0, 800, 800, 1_100, 1_100]);
        assert_eq!(statuses(app).await, ["paid", "failed"]);
        app.wait(1);
        app.decides(&referral, "pending").await;
        let after = accounts(app, &referral, "USD").await;
        assert_eq!(after, [300, 0, 0, 800, 0, 2_200, 1_100]);
        assert_eq!(statuses(app).await, ["paid", "failed", "paid", "pending"]);
    }

    /// Example 7.
    async fn a_payout_that_fails_can_be_tried_again(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        app.decides(&referral, "verified").await;
        app.buys(&referral, "G1", 2_000, "USD").await;
        let first = app.collects(&referral).await;
        app.settles(&first[0].id, PayoutStatus::Failed).await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 200, 0, 0, 0, 200, 0]);
        assert_eq!(statuses(app).await, ["failed"]);
        let second = app.collects(&referral).await;
        assert_eq!(second[0].amount.get(), 200);
        assert_eq!(statuses(app).await, ["processing"]);
        app.settles(&second[0].id, PayoutStatus::Paid).await;
        assert_eq!(accounts(app, &referral, "USD").await, [0, 0, 0, 200, 0, 200, 0]);
    }
}
