//! Coupons: used once, by whom they were given to, in time.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::introductions::{brought, code};
use crate::support::money::id;
use crate::support::on_both;

on_both! {
    async fn a_coupon_is_used_once_by_whom_it_was_given_to(app: &TestApp) {
        app.a_program_for_customers(json!({ "coupons": true }), json!({ "type": "money", "amount": 750 })).await;
        let (ines, referral) = brought(app).await;
        let link = app.invited_by(&ines).await;
        let scan = app.follows(&link).await;
        let other = app.signs_up(&scan, "other@example.com").await;
        let coupon = app.get(&format!("/api/v1/coupons?referral_id={}", id(&referral))).await.ok()["coupons"][0].clone();
        let text = coupon["code"].as_str().expect("a code").to_owned();
        assert!(text.starts_with("JOY-") && text.len() == 16, "{text}");
        assert_eq!((&coupon["status"], &coupon["expires_at"]), (&json!("active"), &json!(null)));
        assert_eq!(app.all("coupons").await.len(), 2);
        let buy = |order: &str, more: Value| {
            let mut body = json!({ "order_id": order, "amount": 1000, "coupon_code": text.to_lowercase() });
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            app.post("/api/v1/conversions", body)
        };
        for somebody in [json!({ "email": "other@example.com" }), json!({ "referral_id": other["id"] }), json!({ "external_id": "x" })] {
            assert_eq!(code(&buy("order_1", somebody).await, 409), "coupon_of_another");
        }
        let unknown = buy("order_1", json!({ "coupon_code": "JOY-UNKNOWN" })).await.refused_with(400);
        assert_eq!((&unknown["errors"][0]["field"], &unknown["errors"][0]["code"]), (&json!("coupon_code"), &json!("unknown_coupon")));
        let bought = buy("order_1", json!({})).await.ok();
        assert_eq!((&bought["referral_id"], &bought["coupon_code"]), (&referral["id"], &json!(text)), "the coupon says who it was");
        let again = buy("order_1", json!({})).await;
        assert!(again.is_replay());
        assert_eq!(code(&buy("order_2", json!({ "email": "marco@example.com" })).await, 409), "coupon_used");
        let coupon = app.get(&format!("/api/v1/coupons/{text}")).await.ok();
        assert_eq!((&coupon["status"], &coupon["conversion_id"]), (&json!("used"), &bought["id"]));
        assert_eq!(app.introduction(&referral).await["status"], "rewarded");
        app.refunds("order_1", 1000, "note_1").await;
        assert_eq!(app.get(&format!("/api/v1/coupons/{text}")).await.ok()["status"], "used", "a refund does not give it back");
        app.stranger().await.get(&format!("/api/v1/coupons/{text}")).await.refused(404, "Coupon not found");
        assert_eq!(app.types().await.iter().filter(|kind| *kind == "coupon.used").count(), 1);
    }

    async fn a_coupon_expires(app: &TestApp) {
        app.a_program_for_customers(json!({ "coupons": true, "coupon_days": 7, "coupon_prefix": "" }), json!(null)).await;
        let (_, referral) = brought(app).await;
        let coupon = app.all("coupons").await.remove(0);
        let text = coupon["code"].as_str().expect("a code");
        let signup = referral["created_at"].as_str().expect("a time");
        for _ in 0..3 {
            assert_eq!(app.all("coupons").await[0]["status"], "active");
        }
        app.wait(7 * 86_400);
        assert_eq!(app.all("coupons").await[0]["status"], "expired", "though nobody wrote anything");
        assert_eq!(app.get(&format!("/api/v1/coupons/{text}")).await.ok()["status"], "expired");
        let mut body = json!({ "order_id": "order_1", "amount": 1, "coupon_code": text });
        assert_eq!(code(&app.post("/api/v1/conversions", body.clone()).await, 409), "coupon_expired");
        body["occurred_at"] = json!(signup);
        app.post("/api/v1/conversions", body).await.ok();
    }

    async fn of_many_orders_with_one_coupon_one_has_it(app: &TestApp) {
        app.a_program_for_customers(json!({ "coupons": true }), json!({ "type": "points", "amount": 3 })).await;
        let (_, referral) = brought(app).await;
        let coupon = app.all("coupons").await.remove(0);
        let answers = join_all((0..20).map(|n| {
            let body = json!({ "order_id": format!("order_{n}"), "amount": 100 + n, "coupon_code": coupon["code"] });
            app.post("/api/v1/conversions", body)
        }))
        .await;
        let taken = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(taken, 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(code(refused, 409), "coupon_used");
        }
        assert_eq!(app.balance(&referral, "PTS", None).await["earned"], 3);
    }
}
