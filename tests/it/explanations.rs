//! Earnings explained.

use handbill::payouts::model::PayoutStatus;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::on_both;

on_both! {
    async fn an_earning_is_explained_in_words_and_in_data(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        let bought = app.buys(&referral, "X1", 9_999, "USD").await;
        app.wait(1);
        app.decides(&referral, "verified").await;
        app.wait(1);
        let refund = app.refunds("X1", 3_333, "x").await;
        app.wait(1);
        let payouts = app.collects(&referral).await;
        let payout = payouts[0].id.as_str();
        app.wait(1);
        app.settles(&payouts[0].id, PayoutStatus::Paid).await;
        app.wait(1);
        app.decides(&referral, "rejected").await;
        app.wait(1);
        app.decides(&referral, "pending").await;
        let earnings = app.all("earnings").await;
        let story = app.get(&format!("/api/v1/earnings/{}/explain", id(&earnings[0]))).await.ok();
        assert_eq!((&story["earning_id"], &story["standing"]), (&earnings[0]["id"], &json!(0)));
        let steps = story["steps"].as_array().expect("steps");
        let told: Vec<(&str, String)> = steps.iter().map(|step| {
            let text = step["text"].as_str().expect("text").replace(payout, "PAYOUT").replace(id(&refund), "REFUND");
            let (said, _) = text.split_once(", by key_").unwrap_or((&text, ""));
            (step["what"].as_str().expect("a word"), said.to_owned())
        }).collect();
        let expected = [
            ("conversion", "Order X1, a purchase, was worth 99.99 USD"),
            ("rule_percent", "10% of 99.99 USD is 9.99 USD, rounded down"),
            ("commission", "A commission of 9.99 USD by the program's rules"),
            ("hold", "It is held until the referral is verified"),
            ("earned", "9.99 USD was earned, and is held"),
            ("released", "9.99 USD can be paid out"),
            ("reversed_before_payout", "3.33 USD was taken back before it was paid out: REFUND gave money back of order X1"),
            ("payout_started", "6.66 USD left with PAYOUT"),
            ("status", "Its status went from pending to processing"),
            ("payout_paid", "6.66 USD arrived with PAYOUT"),
            ("status", "Its status went from processing to paid"),
            ("clawed_back", "6.66 USD that had left is owed back: the referral was rejected"),
        ];
        let expected: Vec<(&str, String)> = expected.map(|(what, text)| (what, text.to_owned())).to_vec();
        assert_eq!(told, expected);
        assert_eq!(steps[1]["data"], json!({
            "rule_version": 1, "figures": { "amount": 999, "basis_points": 1000, "of": 9999 },
        }));
        assert_eq!(steps[2]["data"]["conversion_id"], bought["id"]);
        assert_eq!(steps[7]["data"]["payout_id"], payout);
        assert_eq!(steps[6]["data"]["refund_id"], refund["id"]);
        let again = app.get(&format!("/api/v1/earnings/{}/explain", id(&earnings[1]))).await.ok();
        assert_eq!(again["steps"][2]["what"], "reinstatement");
        assert_eq!(again["steps"][2]["text"],
            "The referral's rejection was taken back, so 6.66 USD that it had cost of the commission is given again");
    }

    async fn a_reported_earning_and_its_replacement_explain_each_other(app: &TestApp) {
        let referral = app.a_referral().await;
        let reported = app.an_earning_of(&referral).await;
        app.wait(1);
        app.decides(&referral, "rejected").await;
        app.wait(1);
        app.decides(&referral, "pending").await;
        let explain = async |earning: &Value| {
            app.get(&format!("/api/v1/earnings/{}/explain", id(earning))).await.ok()["steps"].clone()
        };
        let steps = explain(&reported).await;
        assert_eq!(steps[0]["text"], "You reported a commission of 5.50 USD");
        let last = &steps.as_array().expect("steps").last().expect("a step").clone();
        let replacement = app.all("earnings").await[1].clone();
        assert_eq!((&last["what"], &last["data"]["replaced_by"]), (&json!("replaced"), &replacement["id"]));
        let steps = explain(&replacement).await;
        assert_eq!((&steps[0]["what"], &steps[0]["data"]["in_place_of"]), (&json!("reinstatement"), &reported["id"]));
        let stranger = app.stranger().await;
        stranger.get(&format!("/api/v1/earnings/{}/explain", id(&reported))).await.refused(404, "Earning not found");
    }
}
