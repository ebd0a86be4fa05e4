//! Rewards that are taken back.

use serde_json::json;

use crate::introductions::{brought, code};
use crate::support::money::id;
use crate::support::on_both;

on_both! {
    async fn a_refund_takes_the_reward_back_and_not_the_word(app: &TestApp) {
        let reward = json!({ "type": "points", "amount": 500, "minimum_first_payment": 2000 });
        app.a_program_for_customers(json!({}), reward).await;
        let (_, referral) = brought(app).await;
        app.orders("order_1", "marco@example.com", 3000).await;
        app.orders("order_2", "marco@example.com", 3000).await;
        let before = app.introduction(&referral).await;
        app.refunds("order_2", 3000, "note_1").await;
        app.refunds("order_1", 1000, "note_2").await;
        assert_eq!(app.balance(&referral, "PTS", None).await["available"], 500, "what is left is enough");
        let refund = app.refunds("order_1", 1, "note_3").await;
        assert_eq!(refund["reversed_amount"], 0, "there was no commission");
        let balance = app.balance(&referral, "PTS", None).await;
        assert_eq!((&balance["available"], &balance["reversed"]), (&json!(0), &json!(500)));
        assert_eq!(app.introduction(&referral).await, before, "it never goes back");
        app.decides(&referral, "rejected").await;
        app.decides(&referral, "pending").await;
        assert_eq!(app.balance(&referral, "PTS", None).await["available"], 0, "the refund still counts");
    }

    async fn a_rejection_takes_the_reward_back_until_it_is_taken_back_itself(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!({ "type": "money", "amount": 750 })).await;
        let (ines, referral) = brought(app).await;
        app.orders("order_1", "marco@example.com", 10).await;
        app.decides(&referral, "rejected").await;
        assert_eq!(app.balance(&referral, "USD", None).await["available"], 0);
        assert_eq!(app.introduction(&referral).await["status"], "rewarded");
        app.decides(&referral, "pending").await;
        assert_eq!(app.balance(&referral, "USD", None).await["available"], 750);
        let link = app.invited_by(&ines).await;
        let scan = app.follows(&link).await;
        let other = app.signs_up(&scan, "other@example.com").await;
        app.decides(&other, "rejected").await;
        app.wait(1);
        app.orders("order_2", "other@example.com", 10).await;
        assert_eq!(app.introduction(&other).await["status"], "pending", "it does not count");
        app.wait(1);
        app.decides(&other, "pending").await;
        assert_eq!(app.introduction(&other).await["status"], "rewarded", "what was bought meanwhile counts now");
        assert_eq!(app.balance(&referral, "USD", None).await["available"], 1500);
    }

    async fn a_reward_cannot_be_corrected_by_hand(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 5 })).await;
        brought(app).await;
        app.orders("order_1", "marco@example.com", 10).await;
        let earning = app.all("earnings").await.remove(0);
        let path = format!("/api/v1/earnings/{}", id(&earning));
        let refused = app.put(&path, json!({ "currency": "USD" })).await;
        assert_eq!(code(&refused, 409), "earning_computed");
    }
}
