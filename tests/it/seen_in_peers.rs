//! Defects that other programs of this kind have had, each by its name. Those that other files hold a test for are in
//! docs/promises.md.

use handbill::clock::Clock;
use handbill::webhooks::dispatch::deliver_due;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use standardwebhooks::Webhook;

use crate::support::money::id;
use crate::support::receiver::Receiver;
use crate::support::{Database, TestApp, a_signup, on_both};

/// Longer than anybody keeps answers in a cache.
const YEARS: i64 = 10 * 365 * 86_400;

on_both! {
    async fn a_retry_years_later_is_still_the_same_write(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut signup = a_signup(&scan);
        signup["idempotency_key"] = json!("signup 1");
        let referral = app.post("/api/v1/referrals", signup.clone()).await.ok();
        let order = json!({ "referral_id": referral["id"], "order_id": "1", "amount": 1_000, "idempotency_key": "order 1" });
        let conversion = app.post("/api/v1/conversions", order.clone()).await.ok();
        let refund = json!({ "order_id": "1", "amount": 10, "idempotency_key": "refund 1" });
        app.post("/api/v1/refunds", refund.clone()).await.ok();
        app.wait(YEARS);
        for (path, body) in [("referrals", signup), ("conversions", order), ("refunds", refund)] {
            let again = app.post(&format!("/api/v1/{path}"), body).await;
            assert!(again.is_replay(), "{path}: {}", again.text());
        }
        assert_eq!(app.all("referrals").await.len(), 1);
        let conversions = app.all("conversions").await;
        assert_eq!((conversions.len(), &conversions[0]["id"]), (1, &conversion["id"]));
        assert_eq!(conversions[0]["refunded_amount"], 10);
    }

    async fn five_hundred_scans_from_one_address_in_a_minute_are_all_sent_on_and_counted(app: &TestApp) {
        let poster = app.a_poster().await;
        let path = format!("/q/{}", poster["code"].as_str().expect("a code"));
        let phone = [("user-agent", "Mozilla/5.0 (iPhone) Mobile/15E148")];
        let mut given = std::collections::HashSet::new();
        for _ in 0..500 {
            let answer = app.nobody().send(reqwest::Method::GET, &path, &phone, None::<String>).await;
            assert_eq!(answer.status, 302);
            given.insert(answer.header("location").expect("a location").to_owned());
        }
        assert_eq!(given.len(), 500, "each is an impression of its own");
        let stats = app.get(&format!("/api/v1/stats?posterId={}", id(&poster))).await.ok();
        assert_eq!(stats["scans"], 500, "{stats}");
    }

    async fn nothing_personal_is_in_the_address_a_phone_is_sent_to(app: &TestApp) {
        let poster = app.a_poster().await;
        app.put(&format!("/api/v1/users/{}", poster["student_id"].as_str().expect("an id")), json!({
            "first_name": "Canary", "email": "canary@example.com", "metadata": { "canary": "canary" },
        })).await.ok();
        app.put(&format!("/api/v1/posters/{}", id(&poster)), json!({ "location": "canary", "metadata": { "a": "canary" } })).await.ok();
        let path = format!("/q/{}?email=canary@example.com", poster["code"].as_str().expect("a code"));
        let headers = [("user-agent", "canary"), ("referer", "https://canary.example.com/"), ("cookie", "a=canary")];
        let answer = app.nobody().send(reqwest::Method::GET, &path, &headers, None::<String>).await;
        let (landing, impression) = answer.header("location").and_then(|to| to.split_once("impression_id=")).expect("an address");
        assert_eq!(landing, "https://example.com/join?utm_source=poster&");
        assert!(impression.starts_with("imp_") && impression.len() == 24, "{impression}");
        let all = format!("{:?}", answer.headers).to_lowercase();
        assert!(!all.contains("canary") && !all.contains("carol") && !all.contains("user_"), "{all}");
    }

    async fn a_rate_in_the_request_is_ignored(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        let order = json!({
            "referral_id": referral["id"], "order_id": "1", "amount": 10_000, "commission_rate": 90, "commission": 9_000,
            "rate": 90, "basis_points": 9_000, "rule": { "commission": { "type": "percent", "basis_points": 9_000 } },
        });
        let conversion = app.post("/api/v1/conversions", order).await.ok();
        assert_eq!(conversion["commission"], 1_000, "ten percent, as the program says");
        let earnings = app.all("earnings").await;
        assert_eq!((earnings.len(), &earnings[0]["amount"]), (1, &json!(1_000)));
    }
}

#[actix_web::test]
async fn a_delivery_that_somebody_replays_later_is_refused_by_its_timestamp() {
    let settings = [
        ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
        ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
    ];
    let app = TestApp::start_at(Database::sqlite(), &settings, Clock::System).await;
    let receiver = Receiver::friendly();
    let endpoint = app
        .post("/api/v1/webhook-endpoints", json!({ "url": receiver.url }))
        .await
        .ok();
    app.a_referral().await;
    deliver_due(&app.app).await.expect("a round");
    let received = receiver.received().remove(0);
    let webhook = Webhook::new(endpoint["secret"].as_str().expect("a secret")).expect("a secret");
    let verify = |timestamp: &str| {
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-signature"] {
            let value = HeaderValue::from_str(&received.headers[name]).expect("a value");
            headers.insert(HeaderName::from_static(name), value);
        }
        headers.insert(
            "webhook-timestamp",
            HeaderValue::from_str(timestamp).expect("a value"),
        );
        webhook.verify(received.body.as_bytes(), &headers).is_ok()
    };
    let sent = &received.headers["webhook-timestamp"];
    assert!(verify(sent), "as it came");
    let seconds: i64 = sent.parse().expect("seconds");
    for other in [seconds - 1, seconds + 1, seconds - 600, seconds + 600] {
        assert!(!verify(&other.to_string()), "the timestamp is signed");
    }
    app.stop().await;
}
