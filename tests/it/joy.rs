//! Joy's referrals at `/rest_api/v2/referrals`: what its published documents say, and what was decided where they are silent.

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, test, web};
use futures_util::future::join_all;
use handbill::http::edge::edge;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{Answer, Caller, TestApp, on_both};

/// Somebody with one of Joy's clients.
pub struct Joy<'a> {
    pub caller: &'a Caller,
    pub account: String,
    pub key: String,
}

impl Joy<'_> {
    fn headers(&self) -> [(&str, &str); 3] {
        [
            ("authorization", ""),
            ("x-joy-loyalty-app-key", &self.account),
            ("x-joy-loyalty-secret-key", &self.key),
        ]
    }

    pub async fn get(&self, path: &str) -> Answer {
        let path = format!("/rest_api/v2/referrals/{path}");
        self.caller
            .send(Method::GET, &path, &self.headers(), None::<String>)
            .await
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let path = format!("/rest_api/v2/referrals/{path}");
        self.caller
            .send(Method::POST, &path, &self.headers(), Some(body))
            .await
    }

    pub async fn invites(&self, email: &str) -> Answer {
        self.post("invitations", json!({ "email": email }).to_string())
            .await
    }

    pub async fn used(&self, query: &str) -> Value {
        let counts = data(&self.get(&format!("analytics?{query}")).await);
        assert_eq!(counts.as_object().expect("an object").len(), 1, "{counts}");
        counts["countCouponCodeUsage"].clone()
    }
}

pub fn joy(app: &TestApp) -> Joy<'_> {
    Joy {
        caller: app,
        account: app.database.account_named("default").to_string(),
        key: app.key.clone().expect("a key"),
    }
}

#[track_caller]
pub fn is_a_moment(text: &Value) {
    let text = text.as_str().expect("a moment");
    assert_eq!(
        (text.len(), &text[19..20], &text[23..]),
        (24, ".", "Z"),
        "{text}"
    );
    chrono::DateTime::parse_from_rfc3339(text).expect("ISO 8601");
}

#[track_caller]
pub fn enveloped(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["success"], true);
    is_a_moment(&body["timestamp"]);
    assert!(!answer.text().contains("null"), "{body}");
    body
}

#[track_caller]
pub fn data(answer: &Answer) -> Value {
    enveloped(answer)["data"].clone()
}

/// Holds a refusal against Joy's shape.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, code: &str, field: Option<&str>) -> Value {
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

pub const INVALID: &str = "VALIDATION_ERROR";

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
        let other_account = app.database.account_named("stranger").to_string();
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
