//! One customer brought another: signups, rewards, coupons.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Answer, Caller, on_both};

impl Caller {
    /// The program for customers, with a rule and settings.
    pub async fn a_program_for_customers(&self, settings: Value, reward: Value) -> Value {
        let mut body = json!({
            "name": "Friends", "landing_url": "https://shop.example/hello", "audience": "customers",
            "available_when": "hold_days", "hold_days": 0,
        });
        for (name, value) in settings.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let program = self.post("/api/v1/programs", body).await.ok();
        let rule = json!({ "rule": { "commission": { "type": "percent", "basis_points": 0 }, "reward": reward } });
        self.post(&format!("/api/v1/programs/{}/rules", id(&program)), rule)
            .await
            .ok();
        program
    }

    /// A phone follows a link.
    pub async fn follows(&self, link: &Value) -> Value {
        let path = format!("/q/{}", link["code"].as_str().expect("a code"));
        let answer = Self::new(&self.base, None).get(&path).await;
        assert_eq!(answer.status, 302);
        let to = answer.header("location").expect("somewhere").to_owned();
        json!(to.rsplit_once("impression_id=").expect("an impression").1)
    }

    /// Somebody signs up behind an impression, as the company's webhook says it.
    pub async fn signs_up(&self, impression: &Value, email: &str) -> Value {
        let body = json!({ "impression_id": impression, "first_name": "Marco", "last_name": "Polo", "email": email });
        self.post("/api/v1/referrals", body).await.ok()
    }

    pub async fn introduction(&self, referral: &Value) -> Value {
        self.get(&format!("/api/v1/introductions/{}", id(referral)))
            .await
            .ok()
    }

    pub async fn orders(&self, order: &str, email: &str, amount: i64) -> Value {
        let body = json!({ "order_id": order, "email": email, "amount": amount });
        self.post("/api/v1/conversions", body).await.ok()
    }

    pub async fn types(&self) -> Vec<String> {
        let page = self.get("/api/v1/events?limit=1000").await.ok();
        let events = page["events"].as_array().expect("events");
        events
            .iter()
            .map(|event| event["type"].as_str().expect("a type").to_owned())
            .collect()
    }
}

pub fn code(answer: &Answer, status: u16) -> String {
    answer.refused_with(status)["code"]
        .as_str()
        .expect("a code")
        .to_owned()
}

/// Marco was brought, has bought something with his coupon, and somebody has points for it.
pub async fn a_rewarded_introduction(app: &crate::support::TestApp) -> Value {
    let program = app
        .a_program_for_customers(
            json!({ "coupons": true }),
            json!({ "type": "points", "amount": 500 }),
        )
        .await;
    app.put(
        &format!("/api/v1/programs/{}", id(&program)),
        json!({ "hold_days": 1 }),
    )
    .await
    .ok();
    let rule = json!({ "rule": {
        "commission": { "type": "percent", "basis_points": 1000 }, "reward": { "type": "points", "amount": 500 },
    } });
    app.post(&format!("/api/v1/programs/{}/rules", id(&program)), rule)
        .await
        .ok();
    let (_, referral) = brought(app).await;
    let coupon = app.all("coupons").await.remove(0);
    let body =
        json!({ "order_id": "with a coupon", "amount": 1000, "coupon_code": coupon["code"] });
    app.post("/api/v1/conversions", body).await.ok();
    referral
}

/// A customer brought Marco.
pub async fn brought(app: &crate::support::TestApp) -> (Value, Value) {
    let ines = app.a_customer("ines@example.com").await;
    app.wait(1);
    let link = app.invited_by(&ines).await;
    app.wait(1);
    let scan = app.follows(&link).await;
    app.wait(1);
    (ines, app.signs_up(&scan, "marco@example.com").await)
}

on_both! {
    async fn who_signs_up_behind_a_link_becomes_a_customer_who_was_brought(app: &TestApp) {
        let (ines, referral) = brought(app).await;
        let marco = app.get("/api/v1/customers?email=marco@example.com").await.ok()["customers"][0].clone();
        assert_eq!(marco["name"], "Marco Polo");
        let introduction = app.introduction(&referral).await;
        assert_eq!(introduction, json!({
            "id": referral["id"], "referrer_id": ines["id"], "referred_id": marco["id"], "status": "pending",
            "conversion_id": null, "reward_amount": null, "reward_unit": null, "qualified_at": null, "rewarded_at": null,
            "created_at": referral["created_at"],
        }));
        for filter in [format!("referrer_id={}", id(&ines)), format!("referred_id={}", id(&marco))] {
            let page = app.get(&format!("/api/v1/introductions?{filter}")).await.ok();
            assert_eq!(page["introductions"], json!([introduction]), "{filter}");
        }
        let page = app.get(&format!("/api/v1/introductions?referrer_id={}", id(&marco))).await.ok();
        assert_eq!(page["introductions"], json!([]));
        let ordinary = app.a_referral().await;
        app.get(&format!("/api/v1/introductions/{}", id(&ordinary))).await.refused_with(404);
        assert_eq!(app.all("customers").await.len(), 2, "who signs up elsewhere is no customer");
    }

    async fn nobody_is_brought_twice_nor_by_himself(app: &TestApp) {
        let (ines, first) = brought(app).await;
        let link = app.invited_by(&ines).await;
        let scan = app.follows(&link).await;
        let again = app.signs_up(&scan, "MARCO@example.com").await;
        let own = app.signs_up(&scan, "Ines@example.com").await;
        for referral in [&again, &own] {
            app.get(&format!("/api/v1/introductions/{}", id(referral))).await.refused_with(404);
        }
        assert_eq!(app.all("introductions").await.len(), 1);
        assert_eq!(app.all("customers").await.len(), 2);
        let answers = join_all((0..30).map(|n| {
            let body = json!({
                "impression_id": scan, "first_name": "A", "last_name": "B", "email": format!("f{}@example.com", n % 3),
            });
            app.post("/api/v1/referrals", body)
        }));
        for answer in answers.await {
            answer.ok();
        }
        assert_eq!(app.all("introductions").await.len(), 4, "one for each person");
        assert_eq!(app.all("customers").await.len(), 5);
        assert_eq!(app.introduction(&first).await["status"], "pending");
    }

    async fn a_signup_is_the_customer_with_its_address_or_its_name_of_yours(app: &TestApp) {
        let ines = app.a_customer("ines@example.com").await;
        let body = json!({ "email": "old@example.com", "external_id": "shop_7" });
        let marco = app.post("/api/v1/customers", body).await.ok();
        let link = app.invited_by(&ines).await;
        let scan = app.follows(&link).await;
        let body = json!({
            "impression_id": scan, "first_name": "M", "last_name": "P", "email": "new@example.com", "external_id": "shop_7",
        });
        let referral = app.post("/api/v1/referrals", body).await.ok();
        assert_eq!(app.introduction(&referral).await["referred_id"], marco["id"]);
    }

    async fn the_first_payment_decides_and_the_reward_is_booked(app: &TestApp) {
        let reward = json!({ "type": "money", "amount": 750, "minimum_first_payment": 2000, "window_days": 30 });
        app.a_program_for_customers(json!({}), reward).await;
        let (_, referral) = brought(app).await;
        app.orders("order_1", "marco@example.com", 2000).await;
        let introduction = app.introduction(&referral).await;
        assert_eq!((&introduction["status"], &introduction["reward_amount"], &introduction["reward_unit"]), (&json!("rewarded"), &json!(750), &json!("USD")));
        let balance = app.balance(&referral, "USD", None).await;
        assert_eq!((&balance["available"], &balance["earned"]), (&json!(750), &json!(750)));
        let earning = app.all("earnings").await.remove(0);
        assert_eq!((&earning["type"], &earning["referral_id"]), (&json!("reward"), &referral["id"]));
        app.orders("order_2", "marco@example.com", 9000).await;
        assert_eq!(app.all("earnings").await.len(), 1, "once");
        let types = app.types().await;
        assert_eq!(types, [
            "program.created", "customer.created", "user.created", "poster.created", "referral.created",
            "customer.created", "introduction.created", "conversion.created",
            "referral.converted", "introduction.qualified", "earning.created", "introduction.rewarded", "conversion.created",
        ]);
        let told = app.get("/api/v1/events?types=introduction.rewarded").await.ok()["events"][0].clone();
        assert_eq!((&told["data"], &told["previous_status"]), (&introduction, &json!("qualified")));
    }

    async fn a_payment_that_is_too_small_or_too_late_never_qualifies(app: &TestApp) {
        let reward = json!({ "type": "money", "amount": 750, "minimum_first_payment": 2000, "window_days": 30 });
        app.a_program_for_customers(json!({}), reward).await;
        let (ines, small) = brought(app).await;
        app.orders("order_1", "marco@example.com", 1999).await;
        app.orders("order_2", "marco@example.com", 9999).await;
        let link = app.invited_by(&ines).await;
        let scan = app.follows(&link).await;
        let late = app.signs_up(&scan, "late@example.com").await;
        app.wait(30 * 86_400 + 60);
        app.orders("order_3", "late@example.com", 9999).await;
        for referral in [&small, &late] {
            let introduction = app.introduction(referral).await;
            assert_eq!((&introduction["status"], &introduction["reward_amount"]), (&json!("pending"), &json!(null)));
        }
        let other = json!({ "order_id": "order_4", "email": "late@example.com", "amount": 5, "currency": "EUR" });
        assert_eq!(code(&app.post("/api/v1/conversions", other).await, 409), "rule_currency");
        assert!(app.all("earnings").await.is_empty());
    }

    async fn points_are_no_money(app: &TestApp) {
        let program = app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 500 })).await;
        let (_, referral) = brought(app).await;
        let body = json!({ "order_id": "order_1", "email": "marco@example.com", "amount": 2000, "currency": "EUR" });
        app.post("/api/v1/conversions", body).await.ok();
        let introduction = app.introduction(&referral).await;
        assert_eq!((&introduction["reward_amount"], &introduction["reward_unit"]), (&json!(500), &json!("PTS")));
        assert_eq!(app.balance(&referral, "PTS", None).await["available"], 500);
        assert_eq!(app.balance(&referral, "USD", None).await, json!(null));
        for dry_run in [true, false] {
            let run = json!({ "program_id": program["id"], "dry_run": dry_run });
            app.post("/api/v1/payouts:collect", run).await.ok();
        }
        assert!(app.all("payouts").await.is_empty(), "points are never paid out");
        assert_eq!(app.balance(&referral, "PTS", None).await["available"], 500);
        for body in [
            json!({ "referral_id": referral["id"], "amount": 1, "currency": "PTS" }),
            json!({ "referral_id": referral["id"], "order_id": "o", "amount": 1, "currency": "PTS" }),
        ] {
            let list = if body["order_id"].is_null() { "earnings" } else { "conversions" };
            app.post(&format!("/api/v1/{list}"), body).await.refused_with(400);
        }
    }

    async fn without_a_reward_the_first_commission_is_it(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!(null)).await;
        let program = app.all("programs").await.remove(0);
        let (_, referral) = brought(app).await;
        app.orders("order_1", "marco@example.com", 1000).await;
        assert_eq!(app.introduction(&referral).await["status"], "qualified", "nothing was promised");
        app.put(&format!("/api/v1/programs/{}", id(&program)), json!({ "commission_rate": 10 })).await.ok();
        app.orders("order_2", "marco@example.com", 5500).await;
        let introduction = app.introduction(&referral).await;
        assert_eq!((&introduction["status"], &introduction["reward_amount"]), (&json!("rewarded"), &json!(550)));
    }

    async fn without_a_reward_the_first_commission_is_it_though_it_came_while_the_signup_was_rejected(app: &TestApp) {
        let program = app.a_program_for_customers(json!({}), json!(null)).await;
        app.put(&format!("/api/v1/programs/{}", id(&program)), json!({ "commission_rate": 10 })).await.ok();
        let (_, referral) = brought(app).await;
        app.orders("order_1", "marco@example.com", 4).await;
        app.decides(&referral, "rejected").await;
        app.wait(1);
        app.orders("order_2", "marco@example.com", 1000).await;
        assert_eq!(app.introduction(&referral).await["status"], "qualified");
        app.decides(&referral, "pending").await;
        let introduction = app.introduction(&referral).await;
        assert_eq!((&introduction["status"], &introduction["reward_amount"]), (&json!("rewarded"), &json!(100)));
        app.orders("order_3", "marco@example.com", 7000).await;
        assert_eq!(app.introduction(&referral).await, introduction, "it is rewarded once");
    }

    async fn points_are_asked_for_sent_back_and_explained_as_what_they_are(app: &TestApp) {
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 500 })).await;
        let (_, referral) = brought(app).await;
        app.orders("order_1", "marco@example.com", 2000).await;
        let earning = app.all("earnings").await.remove(0);
        assert_eq!(earning["currency"], "PTS");
        let path = format!("/api/v1/earnings/{}", id(&earning));
        let explained = app.get(&format!("{path}/explain")).await.ok();
        let first = &explained["steps"][0];
        assert_eq!(first["what"], "reward");
        assert!(first["text"].as_str().is_some_and(|text| text.starts_with("A reward of 500 PTS")), "{first}");
        app.put(&path, earning.clone()).await.ok();
        app.put(&path, json!({ "currency": "pts", "status": "paid" })).await.ok();
        let user = app.all("users").await.remove(0);
        let statement = format!("/api/v1/ledger/statement?student_id={}&currency=PTS", id(&user));
        let statement = app.get(&statement).await.ok();
        assert_eq!(statement["statements"][0]["currency"], "PTS", "{statement}");
        let reported = json!({ "referral_id": referral["id"], "amount": 1, "currency": "USD" });
        let reported = app.post("/api/v1/earnings", reported).await.ok();
        let to_points = app.put(&format!("/api/v1/earnings/{}", id(&reported)), json!({ "currency": "PTS" })).await;
        assert_eq!(code(&to_points, 400), "invalid_request");
    }
}
