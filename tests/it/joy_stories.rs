//! Joy's surface beside the others: stories that cross it, rewards, days.

use handbill::accounts;
use handbill::accounts::model::TimeZone;
use handbill::parse::Parse;
use serde_json::json;

use crate::joy::{INVALID, data, enveloped, is_a_moment, joy, refused};
use crate::support::money::id;
use crate::support::on_both;

on_both! {
    async fn a_story_begins_in_joy_and_ends_in_all_dialects(app: &TestApp) {
        let joy = joy(app);
        let reward = json!({ "type": "points", "amount": 500, "minimum_first_payment": 2000, "window_days": 30 });
        app.a_program_for_customers(json!({ "coupons": true }), reward).await;
        let body = json!({ "email": "ines@example.com", "external_id": "8720295559390" });
        let ines = app.post("/api/v1/customers", body).await.ok();
        app.wait(1);
        let link = data(&joy.invites("ines@example.com").await);
        app.wait(1);
        let scan = app.follows(&json!({ "code": link["referralCode"] })).await;
        app.wait(1);
        let signup = app.signs_up(&scan, "marco@example.com").await;
        let marco = app.get("/api/v1/customers?email=marco@example.com").await.ok()["customers"][0].clone();
        let path = format!("customers/{}/referrers", id(&marco));
        let coupon = app.all("coupons").await.remove(0);
        let answer = joy.get(&path).await;
        let pending = enveloped(&answer);
        assert_eq!(pending["meta"], json!({ "count": 1 }));
        let row = &pending["data"][0];
        assert_eq!(pending["data"], json!([{
            "id": signup["id"], "referralCustomerEmail": "ines@example.com", "email": "m*****o@example.com",
            "couponCode": coupon["code"], "customerId": ines["id"], "statusReferral": "pending_referral",
            "createdAt": row["createdAt"], "updatedAt": row["createdAt"],
        }]));
        is_a_moment(&row["createdAt"]);
        let summary = format!("customers/{}/summary", id(&ines));
        assert_eq!(data(&joy.get(&summary).await), json!({ "totalRedeemCoupon": 0, "totalPointEarnRefer": 0 }));
        assert_eq!(joy.used("").await, 0);

        app.wait(86_400);
        let order = json!({ "order_id": "order_1", "amount": 2000, "coupon_code": coupon["code"] });
        app.post("/api/v1/conversions", order).await.ok();
        let complete = data(&joy.get(&path).await)[0].clone();
        assert_eq!(complete["statusReferral"], "complete_referral");
        assert!(complete["updatedAt"].as_str() > complete["createdAt"].as_str(), "{complete}");
        let earned = json!({ "totalRedeemCoupon": 1, "totalPointEarnRefer": 500 });
        assert_eq!(data(&joy.get(&summary).await), earned);
        assert_eq!(data(&joy.get("customers/8720295559390/summary").await), earned, "by the shop's own name");
        assert_eq!(joy.used("").await, 1);
        assert_eq!(joy.used("startDate=2024-03-02&endDate=2024-03-02").await, 1);
        let vinr = app.get(&format!("/v1/referrals/{}", id(&signup))).await.ok();
        assert_eq!((&vinr["status"], &vinr["reward_amount"]), (&json!("rewarded"), &json!(500)));
        assert_eq!((&vinr["referrer_customer"], &vinr["referred_customer"]), (&ines["id"], &marco["id"]));
        let balance = app.balance(&signup, "PTS", None).await;
        assert_eq!(balance["earned"], 500);
        let brought_nobody = format!("customers/{}/summary", id(&marco));
        assert_eq!(data(&joy.get(&brought_nobody).await), json!({ "totalRedeemCoupon": 0, "totalPointEarnRefer": 0 }));
        let nobodys = enveloped(&joy.get("customers/8720295559390/referrers").await);
        assert_eq!((&nobodys["data"], &nobodys["meta"]), (&json!([]), &json!({ "count": 0 })));

        app.wait(60);
        let refund = json!({ "order_id": "order_1", "idempotency_key": "back" });
        app.post("/api/v1/refunds", refund).await.ok();
        assert_eq!(data(&joy.get(&summary).await), json!({ "totalRedeemCoupon": 1, "totalPointEarnRefer": 0 }));
        app.put(&format!("/api/v1/referrals/{}", id(&signup)), json!({ "status": "rejected" })).await.ok();
        assert_eq!(data(&joy.get(&path).await)[0]["statusReferral"], "cancel_referral");
    }

    async fn the_erased_have_no_address_and_since_ever_is_a_day(app: &TestApp) {
        let joy = joy(app);
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 5 })).await;
        let (ann, bea) = (app.a_customer("ann@example.com").await, app.a_customer("bea@example.com").await);
        let body = json!({ "referrer_customer": id(&ann), "referred_customer": id(&bea) });
        assert_eq!(app.post("/v1/referrals", body).await.status, 201);
        let of_bea = format!("customers/{}/referrers", id(&bea));
        let erase = async |whom: &str| {
            let path = format!("/api/v1/customers/{whom}/personal-data");
            app.send(reqwest::Method::DELETE, &path, &[], None::<String>).await.ok();
            data(&joy.get(&of_bea).await)[0].clone()
        };
        let before = data(&joy.get(&of_bea).await)[0].clone();
        assert_eq!(before["referralCustomerEmail"], "ann@example.com");
        let one = erase(id(&ann)).await;
        assert_eq!((one.get("referralCustomerEmail"), one["email"].as_str()), (None, Some("b*****a@example.com")), "{one}");
        let both = erase(id(&bea)).await;
        assert_eq!(both.get("email"), None, "{both}");
        for days in ["startDate=0001-01-01", "startDate=1900-01-01&endDate=1969-12-31"] {
            assert_eq!(joy.used(days).await, 0, "{days}");
        }
    }

    async fn a_reward_in_money_is_no_points(app: &TestApp) {
        let joy = joy(app);
        app.a_program_for_customers(json!({}), json!({ "type": "money", "amount": 750 })).await;
        let ines = app.a_customer("ines@example.com").await;
        let link = app.invited_by(&ines).await;
        app.wait(1);
        let scan = app.follows(&link).await;
        let signup = app.signs_up(&scan, "al@example.com").await;
        let order = json!({ "order_id": "order_1", "email": "al@example.com", "amount": 2000 });
        app.post("/api/v1/conversions", order).await.ok();
        assert_eq!(app.introduction(&signup).await["status"], "rewarded");
        let summary = data(&joy.get(&format!("customers/{}/summary", id(&ines))).await);
        assert_eq!(summary, json!({ "totalRedeemCoupon": 0, "totalPointEarnRefer": 0 }));
        let al = app.get("/api/v1/customers?email=al@example.com").await.ok()["customers"][0].clone();
        let rows = data(&joy.get(&format!("customers/{}/referrers", id(&al))).await);
        assert_eq!(rows[0]["email"], "a*****@example.com");
        assert!(rows[0].get("couponCode").is_none(), "what is not there is left out: {rows}");
    }

    async fn days_are_the_accounts_and_both_count(app: &TestApp) {
        let joy = joy(app);
        app.a_program_for_customers(json!({ "coupons": true }), json!({ "type": "points", "amount": 1 })).await;
        let ines = app.a_customer("ines@example.com").await;
        let link = app.invited_by(&ines).await;
        // 9:00 on 1 March, in UTC; then 23:30 and 0:30.
        for (n, seconds) in [1, 52_200, 3600].into_iter().enumerate() {
            app.wait(seconds);
            let scan = app.follows(&link).await;
            let signup = app.signs_up(&scan, &format!("{n}@example.com")).await;
            let coupons = app.get(&format!("/api/v1/coupons?referral_id={}", id(&signup))).await.ok();
            let order = json!({ "order_id": format!("order_{n}"), "amount": 9, "coupon_code": coupons["coupons"][0]["code"] });
            app.post("/api/v1/conversions", order).await.ok();
        }
        let counts = async |expected: [(&str, i64); 7]| {
            for (query, count) in expected {
                assert_eq!(joy.used(query).await, count, "{query}");
            }
        };
        counts([
            ("", 3), ("startDate=2024-03-01", 3), ("endDate=2024-03-01", 2), ("startDate=2024-03-02", 1),
            ("startDate=2024-03-01&endDate=2024-03-01", 2), ("startDate=2024-02-28&endDate=2024-02-29", 0),
            ("startDate=1970-01-01&endDate=9999-12-31&unknown=1", 3),
        ]).await;
        let account = joy.account.clone();
        app.app.db.write(move |conn, _| {
            let account = accounts::queries::find_by_name_or_id(conn, &account)?.expect("the account");
            accounts::edit::edit(conn, account, TimeZone::parse("Europe/Athens").expect("a zone"))
        }).await.expect("another zone");
        counts([
            ("", 3), ("startDate=2024-03-01", 3), ("endDate=2024-03-01", 1), ("startDate=2024-03-02", 2),
            ("startDate=2024-03-01&endDate=2024-03-01", 1), ("startDate=2024-03-02&endDate=2024-03-02", 2),
            ("endDate=2024-02-29", 0),
        ]).await;
        for (query, field) in [
            ("startDate=invalid-date&endDate=2024-12-31", "startDate"), ("startDate=2024-3-1", "startDate"),
            ("endDate=2024-02-30", "endDate"), ("endDate=", "endDate"), ("endDate=2024-03-01T00:00:00Z", "endDate"),
            ("startDate=2024-03-02&endDate=2024-03-01", "endDate"), ("startDate=2024-03-02&startDate=2024-03-02", "startDate"),
        ] {
            refused(&joy.get(&format!("analytics?{query}")).await, 400, INVALID, Some(field));
        }
    }
}
