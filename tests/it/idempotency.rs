//! A key makes a retry the same write.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, a_signup, on_both};

/// For each create: the list, a body, and a change after which it is another request.
async fn creates(caller: &Caller) -> Vec<(&'static str, Value, (&'static str, Value))> {
    let scan = caller.a_scan().await;
    let referral = caller.a_referral_from(&scan).await;
    let program = json!({ "name": "A", "landing_url": "https://example.com/a" });
    let user = json!({
        "program_id": scan["program_id"], "first_name": "A", "last_name": "B", "email": "a@b.example",
    });
    vec![
        ("programs", program, ("name", json!("B"))),
        ("users", user, ("email", json!("c@d.example"))),
        (
            "posters",
            json!({ "student_id": scan["student_id"], "location": "Gym" }),
            ("location", json!("Library")),
        ),
        (
            "impressions",
            json!({ "poster_id": scan["poster_id"] }),
            ("scanned_at", json!("2024-02-01T00:00:00Z")),
        ),
        (
            "referrals",
            a_signup(&scan),
            ("email", json!("jane@example.com")),
        ),
        (
            "earnings",
            json!({ "referral_id": referral["id"], "amount": 550 }),
            ("amount", json!(551)),
        ),
        (
            "keys",
            json!({ "name": "A", "kind": "restricted", "scopes": ["users:read"] }),
            ("scopes", json!(["users:write"])),
        ),
    ]
}

/// The body of a success, but for the secret of a key, which is shown once.
#[track_caller]
fn shown(answer: &Answer) -> Value {
    let mut body = answer.ok();
    let secret = body.as_object_mut().expect("an object").remove("key");
    let is_first_of_a_key = body["hint"].is_string() && !answer.is_replay();
    assert_eq!(secret.is_some(), is_first_of_a_key, "{body}");
    body
}

async fn post_with_header(caller: &Caller, path: &str, key: &str, body: &Value) -> Answer {
    caller
        .send(
            Method::POST,
            path,
            &[("idempotency-key", key)],
            Some(body.to_string()),
        )
        .await
}

on_both! {
    async fn a_retry_is_the_same_write_on_every_create(app: &TestApp) {
        for (list, mut body, _) in creates(app).await {
            let path = format!("/api/v1/{list}");
            let before = app.all(list).await.len();
            body["idempotency_key"] = json!("key 1: üñí");
            let first = app.post(&path, body.clone()).await;
            assert!(!first.is_replay(), "{list}");
            app.wait(60);
            let again = app.post(&path, body.clone()).await;
            assert!(again.is_replay(), "{list}");
            assert_eq!(shown(&again), shown(&first), "{list}");
            assert_eq!(app.all(list).await.len(), before + 1, "{list}");
        }
    }

    async fn a_key_used_for_something_else_is_refused_and_changes_nothing(app: &TestApp) {
        for (list, mut body, (field, other)) in creates(app).await {
            let path = format!("/api/v1/{list}");
            body["idempotency_key"] = json!("key-2");
            app.post(&path, body.clone()).await.ok();
            let before = app.all(list).await;
            body[field] = other;
            let refused = app.post(&path, body).await.refused_with(409);
            assert_eq!(refused["code"], "idempotency_key_reused", "{list}");
            assert_eq!(app.all(list).await, before, "{list}");
        }
    }

    async fn the_header_says_the_same_as_the_field(app: &TestApp) {
        for (list, mut body, _) in creates(app).await {
            let path = format!("/api/v1/{list}");
            let first = shown(&post_with_header(app, &path, "key-3", &body).await);
            assert_eq!(shown(&post_with_header(app, &path, "\"key-3\"", &body).await), first, "{list}: as the draft quotes it");
            body["idempotency_key"] = json!("key-3");
            assert_eq!(shown(&app.post(&path, body.clone()).await), first, "{list}");
            assert_eq!(shown(&post_with_header(app, &path, "key-3", &body).await), first, "{list}");
            post_with_header(app, &path, "key-4", &body).await
                .refused(400, "idempotency_key differs from the Idempotency-Key header");
        }
    }

    async fn two_key_headers_are_a_contradiction(app: &TestApp) {
        let body = a_signup(&app.a_scan().await).to_string();
        let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
        app.send(Method::POST, "/api/v1/referrals", &twice, Some(body)).await
            .refused(400, "Idempotency-Key must be given only once");
        assert!(app.all("referrals").await.is_empty());
    }

    async fn a_key_has_1_to_255_printable_characters(app: &TestApp) {
        let scan = app.a_scan().await;
        for bad in [json!(""), json!("  "), json!("a\nb"), json!("x".repeat(256)), json!("\u{7f}")] {
            let mut body = a_signup(&scan);
            body["idempotency_key"] = bad;
            app.post("/api/v1/referrals", body).await
                .refused(400, "idempotency_key must be 1 to 255 printable characters");
        }
        let mut body = a_signup(&scan);
        body["idempotency_key"] = json!(5);
        app.post("/api/v1/referrals", body.clone()).await.refused(400, "idempotency_key must be a string");
        body["idempotency_key"] = json!("x".repeat(255));
        app.post("/api/v1/referrals", body).await.ok();
    }

    async fn keys_are_per_operation_and_per_account(app: &TestApp) {
        let stranger = app.stranger().await;
        for (list, mut body, _) in creates(app).await {
            body["idempotency_key"] = json!("shared");
            assert!(!app.post(&format!("/api/v1/{list}"), body).await.is_replay(), "{list}");
        }
        for (list, mut body, _) in creates(&stranger).await {
            body["idempotency_key"] = json!("shared");
            let answer = stranger.post(&format!("/api/v1/{list}"), body).await;
            answer.ok();
            assert!(!answer.is_replay(), "{list}");
        }
    }

    async fn a_replay_shows_the_object_as_it_is_now(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut body = a_signup(&scan);
        body["idempotency_key"] = json!("signup_1");
        let referral = app.post("/api/v1/referrals", body.clone()).await.ok();
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        app.put(&path, json!({ "status": "verified", "email": "new@example.com", "first_name": "Jane" })).await.ok();
        let replay = app.post("/api/v1/referrals", body.clone()).await;
        assert!(replay.is_replay());
        assert_eq!(replay.ok()["status"], "verified");
        assert_eq!(replay.ok()["email"], "new@example.com");
        body["metadata"] = json!({ "retry": 2 });
        body["email"] = json!("JOHN.DOE@example.com");
        assert!(app.post("/api/v1/referrals", body.clone()).await.is_replay(), "case does not make another person");
        body["impression_id"] = json!("imp_unknown");
        app.post("/api/v1/referrals", body).await.refused_with(409);
    }

    async fn an_earning_is_replayed_after_its_referral_was_rejected(app: &TestApp) {
        let referral = app.a_referral().await;
        let mut body = json!({ "referral_id": referral["id"], "amount": 550, "idempotency_key": "order_1" });
        let earning = app.post("/api/v1/earnings", body.clone()).await.ok();
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        app.put(&path, json!({ "status": "rejected" })).await.ok();
        let again = app.post("/api/v1/earnings", body.clone()).await.ok();
        assert_eq!((&again["id"], &again["status"]), (&earning["id"], &json!("failed")), "as it is now");
        body["currency"] = json!("USD");
        assert!(app.post("/api/v1/earnings", body.clone()).await.is_replay(), "the same money said in full");
        body["currency"] = json!("EUR");
        app.post("/api/v1/earnings", body).await.refused_with(409);
    }

    async fn a_refused_request_does_not_use_its_key_up(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut body = a_signup(&scan);
        body["idempotency_key"] = json!("signup_2");
        body["impression_id"] = json!("imp_unknown");
        app.post("/api/v1/referrals", body.clone()).await.refused_with(400);
        body["impression_id"] = scan["id"].clone();
        let answer = app.post("/api/v1/referrals", body).await;
        answer.ok();
        assert!(!answer.is_replay());
    }
}
