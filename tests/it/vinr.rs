//! VINR's referrals at `/v1`: what its published documents say, and what was decided where they are silent.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Answer, Caller, Database, TestApp, on_both};

pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

impl Caller {
    pub async fn form(&self, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
        let headers = [&[FORM], more].concat();
        self.send(Method::POST, path, &headers, Some(body.to_owned()))
            .await
    }

    /// A customer made through VINR.
    pub async fn known(&self, email: &str) -> Value {
        made(
            &self
                .form("/v1/customers", &format!("email={email}"), &[])
                .await,
        )
    }

    pub async fn referred(&self, referrer: &Value, referred: &Value) -> Value {
        let body = format!(
            "referrer_customer={}&referred_customer={}",
            id(referrer),
            id(referred)
        );
        made(&self.form("/v1/referrals", &body, &[]).await)
    }
}

#[track_caller]
pub fn made(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Holds a refusal against VINR's shape: type, code and parameter.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, told: (&str, &str, Option<&str>)) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    let error = &body["error"];
    let got = (
        error["type"].as_str(),
        error["code"].as_str(),
        error["param"].as_str(),
    );
    assert_eq!(got, (Some(told.0), Some(told.1), told.2), "{body}");
    assert_eq!(
        error["request_id"].as_str(),
        answer.header("x-request-id"),
        "{body}"
    );
    assert!(
        error["request_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("req_")),
        "{body}"
    );
    assert!(
        error["doc_url"]
            .as_str()
            .is_some_and(|url| url.ends_with(told.1)),
        "{body}"
    );
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    body
}

pub const INVALID: &str = "invalid_request_error";

on_both! {
    async fn the_published_call_works_on_a_fresh_account(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        app.wait(1);
        let key = app.key.clone().expect("a key");
        let body = format!("referrer_customer={}&referred_customer={}", id(&ines), id(&marco));
        let answer = app.form("/v1/referrals", &body, &[("authorization", ""), ("x-api-key", &key)]).await;
        let referral = made(&answer);
        assert_eq!(answer.text(), format!(
            r#"{{"id":"{}","referrer_customer":"{}","referred_customer":"{}","status":"pending","reward_amount":null,"created":{}}}"#,
            id(&referral), id(&ines), id(&marco), referral["created"],
        ), "six keys, in this order");
        assert_eq!(referral["created"], 1_709_283_601);
        assert_eq!(app.get(&format!("/v1/referrals/{}", id(&referral))).await.ok(), referral);
        let list = app.get(&format!("/v1/referrals?referrer_customer={}&limit=10", id(&ines))).await.ok();
        assert_eq!(list, json!({ "object": "list", "data": [referral], "has_more": false }));
        let ours = app.get(&format!("/api/v1/referrals/{}", id(&referral))).await.ok();
        assert_eq!((&ours["email"], &ours["status"]), (&json!("marco@example.com"), &json!("pending")));
        assert_eq!(app.introduction(&referral).await["referrer_id"], ines["id"]);
        let scan = app.get(&format!("/api/v1/impressions/{}", ours["impression_id"].as_str().expect("an id"))).await.ok();
        assert_eq!(scan["poster_id"], app.invited_by(&ines).await["poster_id"], "at the personal link");
    }

    async fn json_is_taken_too_and_both_headers_if_they_agree(app: &TestApp) {
        let key = app.key.clone().expect("a key");
        let both = [("x-api-key", &*key)];
        let body = json!({ "email": "ines@example.com", "name": "Ines Duarte", "phone": "+351910000000", "unknown": 1 });
        let ines = made(&app.send(Method::POST, "/v1/customers", &both, Some(body.to_string())).await);
        assert_eq!(ines, json!({
            "id": ines["id"], "email": "ines@example.com", "name": "Ines Duarte", "phone": "+351910000000",
            "default_payment_method": null, "created": 1_709_283_600,
        }));
        let auth = ("authentication_error", "invalid_api_key", None);
        for headers in [
            vec![("x-api-key", "sk_other")],
            vec![("authorization", ""), ("x-api-key", "sk_other")],
            vec![("authorization", ""), ("x-api-key", &*key), ("x-api-key", &*key)],
            vec![("authorization", "Basic abc"), ("x-api-key", &*key)],
            vec![("authorization", "")],
        ] {
            let answer = app.send(Method::GET, "/v1/referrals", &headers, None::<String>).await;
            refused(&answer, 401, auth);
        }
        let alone = [("authorization", ""), ("x-api-key", &*key)];
        app.send(Method::GET, "/api/v1/referrals", &alone, None::<String>).await.refused_with(401);
        let text = app.send(Method::POST, "/v1/customers", &[("content-type", "text/plain")], Some("a")).await;
        refused(&text, 415, (INVALID, "unsupported_media_type", None));
    }

    async fn what_is_wrong_is_said_in_vinrs_shape(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        let referral = app.referred(&ines, &marco).await;
        let (a, b) = (id(&ines), id(&marco));
        let other = app.known("other@example.com").await;
        let stranger = app.stranger().await;
        let theirs = stranger.known("theirs@example.com").await;
        let missing = "resource_missing";
        for (body, status, code, param) in [
            (String::new(), 400, "parameter_missing", Some("referrer_customer")),
            (format!("referrer_customer={a}"), 400, "parameter_missing", Some("referred_customer")),
            (format!("referrer_customer=&referred_customer={b}"), 404, missing, Some("referrer_customer")),
            (format!("referrer_customer=cust_x&referred_customer={b}"), 404, missing, Some("referrer_customer")),
            (format!("referrer_customer={a}&referred_customer=cust_x"), 404, missing, Some("referred_customer")),
            (format!("referrer_customer={a}&referred_customer={}", id(&theirs)), 404, missing, Some("referred_customer")),
            (format!("referrer_customer={a}&referred_customer={a}"), 422, "referral_not_allowed", Some("referred_customer")),
            (format!("referrer_customer={}&referred_customer={b}", id(&other)), 422, "referral_already_exists", Some("referred_customer")),
            (format!("referrer_customer={a}&referrer_customer={a}&referred_customer={b}"), 400, "parameter_invalid", Some("referrer_customer")),
            (format!("referrer_customer={a}&referred_customer={b}&expand[]=card"), 400, "parameter_invalid", Some("expand")),
        ] {
            let answer = app.form("/v1/referrals", &body, &[]).await;
            let told = refused(&answer, status, (INVALID, code, param));
            if code == "referral_already_exists" {
                assert!(told["error"]["message"].as_str().expect("words").contains(id(&referral)), "{told}");
            }
        }
        app.referred(&marco, &ines).await;
        let number = app.post("/v1/referrals", json!({ "referrer_customer": 5, "referred_customer": b })).await;
        refused(&number, 400, (INVALID, "parameter_invalid", Some("referrer_customer")));
        for bad in ["{", "[]"] {
            refused(&app.post_text("/v1/referrals", bad).await, 400, (INVALID, "parameter_invalid", None));
        }
        for (query, param) in [
            ("limit=0", "limit"), ("limit=101", "limit"), ("limit=%2B5", "limit"), ("limit=x", "limit"), ("starting_after=ref_x", "starting_after"),
            ("ending_before=ref_x", "ending_before"), ("starting_after=ref_x&ending_before=ref_y", "ending_before"),
            ("expand[]=data.card", "expand"),
        ] {
            let answer = app.get(&format!("/v1/referrals?{query}")).await;
            refused(&answer, 400, (INVALID, "parameter_invalid", Some(param)));
        }
        let list = app.get("/v1/referrals?referrer_customer=cust_x&unknown=1").await.ok();
        assert_eq!(list, json!({ "object": "list", "data": [], "has_more": false }));
        refused(&app.get("/v1/referrals/ref_x").await, 404, (INVALID, missing, Some("id")));
        refused(&app.get("/v1/customers/cust_x").await, 404, (INVALID, missing, Some("id")));
        refused(&stranger.get(&format!("/v1/referrals/{}", id(&referral))).await, 404, (INVALID, missing, Some("id")));
        let taken = app.form("/v1/customers", "email=INES@example.com", &[]).await;
        refused(&taken, 422, (INVALID, "email_taken", Some("email")));
    }

    async fn every_failure_below_v1_has_vinrs_shape(app: &TestApp) {
        for path in ["/v1/nothing", "/v1/", "/v1"] {
            refused(&app.get(path).await, 404, (INVALID, "resource_missing", None));
        }
        for (method, path) in [
            (Method::PUT, "/v1/referrals"), (Method::PATCH, "/v1/referrals/ref_x"), (Method::DELETE, "/v1/referrals/ref_x"),
            (Method::POST, "/v1/referrals/ref_x"), (Method::DELETE, "/v1/events"),
        ] {
            let answer = app.send(method, path, &[], None::<String>).await;
            refused(&answer, 405, (INVALID, "method_not_allowed", None));
            assert!(answer.header("allow").is_some());
        }
        let head = app.send(Method::HEAD, "/v1/referrals", &[], None::<String>).await;
        assert_eq!(head.status, 405);
        let nobody = app.nobody();
        refused(&nobody.get("/v1/nothing").await, 401, ("authentication_error", "invalid_api_key", None));
        let large = app.post_text("/v1/referrals", vec![b' '; 1_100_000]).await;
        refused(&large, 413, (INVALID, "body_too_large", None));
        app.get("/v11").await.refused_with(404);
    }

    async fn a_restricted_key_does_what_its_scopes_say_here_too(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        let body = format!("referrer_customer={}&referred_customer={}", id(&ines), id(&marco));
        let program = app.a_program().await;
        let denied = ("permission_error", "insufficient_permissions", None);
        for (key, reads, writes) in [
            (json!({ "kind": "restricted", "scopes": ["referrals:read"] }), true, false),
            (json!({ "kind": "restricted", "scopes": ["referrals:read", "referrals:write"] }), true, true),
            (json!({ "kind": "restricted", "scopes": ["customers:read", "introductions:read"] }), false, false),
            (json!({ "kind": "restricted", "scopes": ["referrals:read"], "program_id": program["id"] }), false, false),
            (json!({ "kind": "publishable" }), false, false),
        ] {
            let mut key = key;
            key["name"] = json!("A part");
            let made_key = app.post("/api/v1/keys", key).await.ok();
            let secret = made_key["key"].as_str().expect("a secret");
            let headers = [FORM, ("authorization", ""), ("x-api-key", secret)];
            let read = app.send(Method::GET, "/v1/referrals", &headers, None::<String>).await;
            match reads {
                true => drop(read.ok()),
                false => drop(refused(&read, 403, denied)),
            }
            let write = app.send(Method::POST, "/v1/referrals", &headers, Some(body.clone())).await;
            match writes {
                true => drop(made(&write)),
                false => drop(refused(&write, 403, denied)),
            }
        }
    }

    async fn what_is_done_to_endpoints_is_in_the_audit_log(app: &TestApp) {
        let key = [("idempotency-key", "one")];
        let body = "url=https://example.com/hooks";
        let endpoint = made(&app.form("/v1/webhook-endpoints", body, &key).await);
        assert!(app.form("/v1/webhook-endpoints", body, &key).await.is_replay());
        let path = format!("/v1/webhook-endpoints/{}", id(&endpoint));
        app.wait(1);
        app.form(&path, "status=disabled", &[]).await.ok();
        app.form(&path, "status=disabled", &[]).await.ok();
        app.wait(1);
        app.send(Method::DELETE, &path, &[], None::<String>).await.ok();
        let ours = id(&endpoint).replacen("we_", "whe_", 1);
        let log = app.get(&format!("/api/v1/audit-log?object_id={ours}")).await.ok();
        let mut done: Vec<_> = log["acts"].as_array().expect("acts").iter().map(|act| act["action"].as_str().expect("a word")).collect();
        done.sort_unstable();
        assert_eq!(done, ["webhook_endpoint.created", "webhook_endpoint.deleted", "webhook_endpoint.updated"]);
    }

}

#[actix_web::test]
async fn a_limit_is_told_and_kept_in_vinrs_shape() {
    let app = TestApp::start_with(Database::sqlite(), &[("HANDBILL_RATE_LIMIT", "2")]).await;
    for _ in 0..2 {
        let answer = app.get("/v1/referrals").await;
        answer.ok();
        for header in [
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ] {
            assert!(
                answer
                    .header(header)
                    .is_some_and(|value| value.parse::<u64>().is_ok()),
                "{header}"
            );
        }
        assert_eq!(answer.header("retry-after"), None);
    }
    let answer = app.get("/v1/referrals").await;
    refused(&answer, 429, ("rate_limit_error", "rate_limited", None));
    assert!(answer.header("retry-after").is_some());
    app.stop().await;
}
