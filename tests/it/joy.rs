//! Joy's referrals at `/rest_api/v2/referrals`: what its published documents say, and what was decided where they are silent.

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, test, web};
use futures_util::future::join_all;
use handbill::accounts;
use handbill::accounts::model::TimeZone;
use handbill::http::edge::edge;
use handbill::parse::Parse;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Answer, Caller, TestApp, on_both};

/// Somebody with one of Joy's clients.
struct Joy<'a> {
    caller: &'a Caller,
    account: String,
    key: String,
}

impl Joy<'_> {
    fn headers(&self) -> [(&str, &str); 3] {
        [
            ("authorization", ""),
            ("x-joy-loyalty-app-key", &self.account),
            ("x-joy-loyalty-secret-key", &self.key),
        ]
    }

    async fn get(&self, path: &str) -> Answer {
        let path = format!("/rest_api/v2/referrals/{path}");
        self.caller
            .send(Method::GET, &path, &self.headers(), None::<String>)
            .await
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let path = format!("/rest_api/v2/referrals/{path}");
        self.caller
            .send(Method::POST, &path, &self.headers(), Some(body))
            .await
    }

    async fn invites(&self, email: &str) -> Answer {
        self.post("invitations", json!({ "email": email }).to_string())
            .await
    }

    async fn used(&self, query: &str) -> Value {
        let counts = data(&self.get(&format!("analytics?{query}")).await);
        assert_eq!(counts.as_object().expect("an object").len(), 1, "{counts}");
        counts["countCouponCodeUsage"].clone()
    }
}

fn joy(app: &TestApp) -> Joy<'_> {
    Joy {
        caller: app,
        account: app.database.account_named("default"),
        key: app.key.clone().expect("a key"),
    }
}

#[track_caller]
fn is_a_moment(text: &Value) {
    let text = text.as_str().expect("a moment");
    assert_eq!(
        (text.len(), &text[19..20], &text[23..]),
        (24, ".", "Z"),
        "{text}"
    );
    chrono::DateTime::parse_from_rfc3339(text).expect("ISO 8601");
}

#[track_caller]
fn enveloped(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["success"], true);
    is_a_moment(&body["timestamp"]);
    assert!(!answer.text().contains("null"), "{body}");
    body
}

#[track_caller]
fn data(answer: &Answer) -> Value {
    enveloped(answer)["data"].clone()
}

/// Holds a refusal against Joy's shape.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str, field: Option<&str>) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    let (outer, error) = (body.as_object().expect("an object"), &body["error"]);
    assert_eq!(
        outer.keys().collect::<Vec<_>>(),
        ["success", "error", "timestamp"]
    );
    assert_eq!(body["success"], false);
    is_a_moment(&body["timestamp"]);
    let told = (&error["code"], &error["statusCode"]);
    assert_eq!(told, (&json!(code), &json!(status)), "{body}");
    let details = field.map_or(json!(null), |field| json!({ "field": field }));
    assert_eq!(error["details"], details, "{body}");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    error.clone()
}

const INVALID: &str = "VALIDATION_ERROR";

on_both! {
    async fn a_customer_has_one_link_whoever_asks_and_how_often(app: &TestApp) {
        let joy = joy(app);
        let ines = app.a_customer("ines@example.com").await;
        let answers = join_all((0..20).map(|_| joy.invites("ines@example.com"))).await;
        let link = app.invited_by(&ines).await;
        let expected = json!({ "inviteLink": link["link"], "referralCode": link["code"] });
        for answer in &answers {
            assert_eq!(data(answer), expected);
        }
        assert_eq!(data(&joy.invites("INES@Example.com").await), expected);
        let text = answers[0].text();
        assert!(text.starts_with(r#"{"success":true,"data":{"inviteLink":"http"#), "{text}");
        assert!(!text.contains("meta"), "{text}");
        assert!(answers[0].json()["message"].is_string());
        assert_eq!((app.all("posters").await.len(), app.all("customers").await.len()), (1, 1));
        app.follows(&link).await;
        refused(&joy.invites("nobody@example.com").await, 404, "NOT_FOUND", None);
        assert_eq!(app.all("customers").await.len(), 1, "nobody is made up");
    }

    async fn both_headers_are_needed_and_belong_together(app: &TestApp) {
        let joy = joy(app);
        let stranger = app.stranger().await;
        let other_account = app.database.account_named("stranger");
        let other_key = stranger.key.clone().expect("a key");
        let (account, key) = (&*joy.account, &*joy.key);
        let (app_key, secret_key) = ("x-joy-loyalty-app-key", "x-joy-loyalty-secret-key");
        let nobody = app.nobody();
        for headers in [
            vec![],
            vec![(app_key, account)],
            vec![(secret_key, key)],
            vec![(app_key, account), (secret_key, "sk_wrong")],
            vec![(app_key, account), (secret_key, &*other_key)],
            vec![(app_key, &*other_account), (secret_key, key)],
            vec![(app_key, "default"), (secret_key, key)],
            vec![(app_key, account), (app_key, account), (secret_key, key)],
            vec![(app_key, account), (secret_key, key), (secret_key, key)],
            vec![(app_key, account), (secret_key, key), ("authorization", "Bearer sk_other")],
            vec![("authorization", "Bearer sk_other")],
            vec![(app_key, account), ("authorization", &*format!("Bearer {key}"))],
        ] {
            for path in ["analytics", "nothing"] {
                let path = format!("/rest_api/v2/referrals/{path}");
                let answer = nobody.send(Method::GET, &path, &headers, None::<String>).await;
                let message = refused(&answer, 401, "UNAUTHORIZED", None)["message"].clone();
                assert!(message.as_str().is_some_and(|text| text.contains("App-Key")), "{message}");
            }
        }
        let theirs = Joy { caller: &stranger, account: other_account, key: other_key };
        let ines = app.a_customer("ines@example.com").await;
        refused(&theirs.invites("ines@example.com").await, 404, "NOT_FOUND", None);
        for what in ["summary", "referrers"] {
            let path = format!("customers/{}/{what}", id(&ines));
            data(&joy.get(&path).await);
            refused(&theirs.get(&path).await, 404, "NOT_FOUND", None);
        }
        // Joy's headers are no key elsewhere.
        app.send(Method::GET, "/api/v1/referrals", &joy.headers(), None::<String>).await.refused_with(401);
    }

    async fn keys_do_what_their_scopes_say(app: &TestApp) {
        let program = app.a_program().await;
        let made = async |more: Value| {
            let mut key = json!({ "name": "Joy", "kind": "restricted", "scopes": ["referrals:read"] });
            for (name, value) in more.as_object().expect("an object") {
                key[name] = value.clone();
            }
            let key = app.post("/api/v1/keys", key).await.ok();
            Joy {
                caller: app,
                account: key["account_id"].as_str().expect("an account").to_owned(),
                key: key["key"].as_str().expect("a key").to_owned(),
            }
        };
        let ines = app.a_customer("ines@example.com").await;
        let summary = format!("customers/{}/summary", id(&ines));
        let reader = made(json!({})).await;
        data(&reader.get(&summary).await);
        let message = refused(&reader.invites("ines@example.com").await, 403, "INSUFFICIENT_SCOPE", None)["message"].clone();
        assert!(message.as_str().is_some_and(|text| text.contains("referrals:write")), "{message}");
        let writer = made(json!({ "scopes": ["referrals:write"] })).await;
        data(&writer.invites("ines@example.com").await);
        refused(&writer.get(&summary).await, 403, "INSUFFICIENT_SCOPE", None);
        let bound = made(json!({ "program_id": program["id"] })).await;
        refused(&bound.get(&summary).await, 403, "INSUFFICIENT_SCOPE", None);
    }

    async fn what_is_wrong_is_said_in_joys_shape(app: &TestApp) {
        let joy = joy(app);
        for email in ["invalid-email", "", "a@b@c"] {
            refused(&joy.invites(email).await, 400, INVALID, Some("email"));
        }
        for (body, field) in [
            ("{}", Some("email")), (r#"{"email":null}"#, Some("email")), (r#"{"email":5}"#, Some("email")),
            ("", None), ("[]", None), ("{", None), (r#"{"email":"a@example.com","email":"b@example.com"}"#, None),
        ] {
            refused(&joy.post("invitations", body).await, 400, INVALID, field);
        }
        let path = "/rest_api/v2/referrals/invitations";
        let typed = [&joy.headers()[..], &[("content-type", "text/plain")]].concat();
        refused(&app.send(Method::POST, path, &typed, Some("email=a")).await, 400, INVALID, None);
        refused(&app.send(Method::POST, path, &joy.headers(), None::<String>).await, 400, INVALID, None);
        refused(&joy.post("invitations", vec![b' '; 1_100_000]).await, 413, "PAYLOAD_TOO_LARGE", None);
        for name in ["cust_x", "non-existent-customer-id", "%00", "%FF", "a%20b", &"x".repeat(300)] {
            for what in ["summary", "referrers"] {
                refused(&joy.get(&format!("customers/{name}/{what}")).await, 404, "NOT_FOUND", None);
            }
        }
        for path in ["nothing", "", "customers", "customers/x", "customers//summary"] {
            refused(&joy.get(path).await, 404, "NOT_FOUND", None);
        }
        for path in ["/rest_api/v2", "/rest_api/v2/", "/rest_api/v2/customers"] {
            let answer = app.send(Method::GET, path, &joy.headers(), None::<String>).await;
            refused(&answer, 404, "NOT_FOUND", None);
        }
        for (method, path) in [
            (Method::GET, "invitations"), (Method::DELETE, "analytics"), (Method::POST, "customers/x/summary"),
            (Method::PUT, "customers/x/referrers"),
        ] {
            let answer = app.send(method, &format!("/rest_api/v2/referrals/{path}"), &joy.headers(), None::<String>).await;
            refused(&answer, 405, "METHOD_NOT_ALLOWED", None);
            assert!(answer.header("allow").is_some());
        }
        let unknown = json!({ "email": "nobody@example.com", "unknown": [1] }).to_string();
        refused(&joy.post("invitations?unknown=1", unknown).await, 404, "NOT_FOUND", None);
    }

    async fn a_paused_program_makes_no_new_links(app: &TestApp) {
        let joy = joy(app);
        for email in ["ines@example.com", "mia@example.com"] {
            app.a_customer(email).await;
        }
        let link = data(&joy.invites("ines@example.com").await);
        let program = app.all("programs").await.remove(0);
        app.put(&format!("/api/v1/programs/{}", id(&program)), json!({ "status": "paused" })).await.ok();
        assert_eq!(data(&joy.invites("ines@example.com").await), link, "what is printed goes on");
        refused(&joy.invites("mia@example.com").await, 400, "REFERRAL_PROGRAM_PAUSED", None);
    }

    /// Begins with an invitation of Joy's, goes on through the Vantio webhook, is rewarded, and is read as VINR's
    /// `rewarded` and in Joy's counts.
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

    async fn a_panic_is_told_in_joys_shape_and_found_in_the_log(app: &TestApp) {
        async fn panics() -> HttpResponse {
            panic!("a defect")
        }
        let service = actix_web::App::new()
            .app_data(web::Data::new(app.app.clone()))
            .route("/rest_api/v2/panics", web::get().to(panics))
            .wrap(from_fn(edge));
        let service = test::init_service(service).await;
        let request = test::TestRequest::get().uri("/rest_api/v2/panics").insert_header(("x-request-id", "mine"));
        let error = test::try_call_service(&service, request.to_request()).await.expect_err("an error");
        let response = error.error_response();
        assert_eq!(response.status(), 500);
        let body = actix_web::body::to_bytes(response.into_body()).await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        is_a_moment(&body["timestamp"]);
        assert_eq!(body["success"], false);
        let error = &body["error"];
        assert_eq!((&error["code"], &error["statusCode"]), (&json!("INTERNAL_ERROR"), &json!(500)));
        assert_eq!(error["details"], json!({ "requestId": "mine" }));
        assert!(!body.to_string().contains("defect"), "the cause stays in the log");
    }
}

on_both! {
    with [("HANDBILL_RATE_LIMIT", "5")] =>
    async fn who_asks_too_often_is_told_when_to_come_back(app: &TestApp) {
        let joy = joy(app);
        let answers = join_all((0..20).map(|_| joy.get("analytics"))).await;
        let late = answers.iter().find(|answer| answer.status == 429).expect("one too many");
        refused(late, 429, "RATE_LIMIT_EXCEEDED", None);
        assert!(late.header("retry-after").is_some());
    }
}
