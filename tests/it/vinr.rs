//! VINR's referrals at `/v1`: what its published documents say, and what was decided where they are silent.

use std::time::Duration;

use futures_util::future::join_all;
use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::dump::dump;
use crate::support::money::id;
use crate::support::receiver::Receiver;
use crate::support::{Answer, Caller, Database, TestApp, on_both};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

impl Caller {
    async fn form(&self, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
        let headers = [&[FORM], more].concat();
        self.send(Method::POST, path, &headers, Some(body.to_owned()))
            .await
    }

    /// A customer made through VINR.
    async fn known(&self, email: &str) -> Value {
        made(
            &self
                .form("/v1/customers", &format!("email={email}"), &[])
                .await,
        )
    }

    async fn referred(&self, referrer: &Value, referred: &Value) -> Value {
        let body = format!(
            "referrer_customer={}&referred_customer={}",
            id(referrer),
            id(referred)
        );
        made(&self.form("/v1/referrals", &body, &[]).await)
    }
}

#[track_caller]
fn made(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Holds a refusal against VINR's shape: type, code and parameter.
#[track_caller]
fn refused(answer: &Answer, status: u16, told: (&str, &str, Option<&str>)) -> Value {
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

const INVALID: &str = "invalid_request_error";

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

    async fn ids_are_expanded_in_every_form(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        let body = format!("referrer_customer={}&referred_customer={}&expand[]=referrer_customer", id(&ines), id(&marco));
        let made = made(&app.form("/v1/referrals", &body, &[]).await);
        assert_eq!((&made["referrer_customer"], &made["referred_customer"]), (&ines, &marco["id"]));
        let path = format!("/v1/referrals/{}", id(&made));
        for (query, referrer, referred) in [
            ("expand[]=referrer_customer", true, false),
            ("expand%5B%5D=referrer_customer&expand%5B%5D=referred_customer", true, true),
            ("expand=referred_customer", false, true),
            ("expand[0]=referrer_customer&expand[1]=referred_customer", true, true),
            ("expand[]=referrer_customer.default_payment_method", true, false),
        ] {
            for (path, list) in [(path.clone(), false), ("/v1/referrals".to_owned(), true)] {
                let answer = app.get(&format!("{path}?{query}")).await.ok();
                let shown = if list { answer["data"][0].clone() } else { answer };
                assert_eq!(shown["referrer_customer"], if referrer { ines.clone() } else { ines["id"].clone() }, "{query}");
                assert_eq!(shown["referred_customer"], if referred { marco.clone() } else { marco["id"].clone() }, "{query}");
            }
        }
        let list = app.get("/v1/referrals?expand[]=data.referred_customer").await.ok();
        assert_eq!(list["data"][0]["referred_customer"], marco);
        refused(&app.get(&format!("{path}?expand[]=data.referred_customer")).await, 400, (INVALID, "parameter_invalid", Some("expand")));
        let new = app.known("new@example.com").await;
        let body = json!({
            "referrer_customer": ines["id"], "referred_customer": new["id"], "expand": ["referrer_customer", "referred_customer"],
        });
        let answer = app.post("/v1/referrals", body).await;
        assert_eq!(answer.json()["referred_customer"], new);
    }

    async fn lists_are_walked_both_ways_newest_first(app: &TestApp) {
        let ines = app.known("ines@example.com").await;
        let mut all = Vec::new();
        for n in 0..25 {
            app.wait(1);
            let friend = app.known(&format!("{n}@example.com")).await;
            all.insert(0, app.referred(&ines, &friend).await);
        }
        let first = app.get("/v1/referrals").await.ok();
        assert_eq!((&first["data"], &first["has_more"]), (&json!(all[..10]), &json!(true)), "ten, when nothing is said");
        let mut walked = Vec::new();
        let mut after = String::new();
        loop {
            let page = app.get(&format!("/v1/referrals?limit=7{after}")).await.ok();
            walked.extend(page["data"].as_array().expect("data").clone());
            if page["has_more"] == json!(false) {
                break;
            }
            after = format!("&starting_after={}", id(&walked[walked.len() - 1]));
        }
        assert_eq!(walked, all);
        let back = app.get(&format!("/v1/referrals?limit=7&ending_before={}", id(&all[10]))).await.ok();
        assert_eq!((&back["data"], &back["has_more"]), (&json!(all[3..10]), &json!(true)));
        let back = app.get(&format!("/v1/referrals?limit=7&ending_before={}", id(&all[3]))).await.ok();
        assert_eq!((&back["data"], &back["has_more"]), (&json!(all[..3]), &json!(false)));
        let customers = app.get("/v1/customers?limit=100").await.ok();
        assert_eq!(customers["data"].as_array().expect("data").len(), 26);
        assert_eq!(customers["data"][25], ines);
        let one = app.get("/v1/customers?email=INES@example.com").await.ok();
        assert_eq!(one["data"], json!([ines]));
    }

    async fn a_key_repeats_the_answer_for_a_day(app: &TestApp) {
        let key = [("idempotency-key", "signup-5521")];
        let body = "email=ines@example.com&name=Ines";
        let first = app.form("/v1/customers", body, &key).await;
        let ines = made(&first);
        let turned = app.form("/v1/customers", "name=Ines&email=ines@example.com", &key).await;
        assert!(turned.is_replay());
        assert_eq!((turned.status, turned.text()), (201, first.text()), "status and body");
        let changed = format!("/v1/customers/{}", id(&ines));
        assert_eq!(app.form(&changed, "name=Maria", &[]).await.ok()["name"], "Maria");
        assert_eq!(app.form("/v1/customers", body, &key).await.text(), first.text(), "the answer as it was");
        let other = app.form("/v1/customers", "email=other@example.com", &key).await;
        refused(&other, 409, ("idempotency_error", "idempotency_key_reused", None));
        let marco = app.known("marco@example.com").await;
        let body = format!("referrer_customer={}&referred_customer={}", id(&ines), id(&marco));
        let referral = made(&app.form("/v1/referrals", &body, &key).await);
        assert_eq!(app.form("/v1/referrals", &body, &key).await.json(), referral, "a key is one operation's");
        let wrong = [("idempotency-key", "wrong")];
        let refusal = app.form("/v1/referrals", &body, &wrong).await;
        refused(&refusal, 422, (INVALID, "referral_already_exists", Some("referred_customer")));
        let again = app.form("/v1/referrals", &body, &wrong).await;
        assert_eq!((again.status, again.text()), (422, refusal.text()), "refusals are repeated too");
        let missing = [("idempotency-key", "missing")];
        let answers = [app.form("/v1/customers", "", &missing).await, app.form("/v1/customers", "", &missing).await];
        assert_eq!(answers[0].text(), answers[1].text());
        let long = "x".repeat(256);
        let long = app.form("/v1/customers", "email=a@b.example", &[("idempotency-key", &long)]).await;
        refused(&long, 400, (INVALID, "parameter_invalid", Some("Idempotency-Key")));
        app.wait(86_401);
        let later = app.form("/v1/customers", "email=later@example.com", &key).await;
        made(&later);
        assert!(!later.is_replay());
    }

    async fn of_many_with_one_key_one_is_made(app: &TestApp) {
        let (ines, marco) = (app.known("ines@example.com").await, app.known("marco@example.com").await);
        let body = format!("referrer_customer={}&referred_customer={}", id(&ines), id(&marco));
        let answers = join_all((0..30).map(|_| app.form("/v1/referrals", &body, &[("idempotency-key", "one")]))).await;
        let first = answers.iter().find(|answer| answer.status == 201).expect("one").text();
        for answer in &answers {
            match answer.status {
                201 => assert_eq!(answer.text(), first),
                _ => drop(refused(answer, 409, ("idempotency_error", "idempotency_key_in_use", None))),
            }
        }
        let friends = join_all((0..10).map(|n| app.known(format!("{n}@example.com").leak()))).await;
        let bodies = (0..40).map(|n| format!("referrer_customer={}&referred_customer={}", id(&ines), id(&friends[n % 10])));
        let bodies: Vec<String> = bodies.collect();
        let answers = join_all(bodies.iter().map(|body| app.form("/v1/referrals", body, &[]))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 10, "one for each friend");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            refused(answer, 422, (INVALID, "referral_already_exists", Some("referred_customer")));
        }
        assert_eq!(app.all("referrals").await.len(), 11, "nothing is left of those who were too late");
        assert_eq!(app.all("posters").await.len(), 1);
    }

    /// Begins with a link of ours, goes on through the Vantio webhook, ends as VINR's `rewarded`.
    async fn a_story_begins_in_one_dialect_and_ends_in_another(app: &TestApp) {
        let reward = json!({ "type": "money", "amount": 750, "minimum_first_payment": 2000, "window_days": 30 });
        app.a_program_for_customers(json!({ "coupons": true }), reward).await;
        let ines = app.known("ines@example.com").await;
        app.wait(1);
        let link = app.invited_by(&ines).await;
        app.wait(1);
        let scan = app.follows(&link).await;
        app.wait(1);
        let signup = app.signs_up(&scan, "marco@example.com").await;
        let path = format!("/v1/referrals/{}", id(&signup));
        let referral = app.get(&format!("{path}?expand[]=referred_customer")).await.ok();
        assert_eq!((&referral["status"], &referral["referred_customer"]["email"]), (&json!("pending"), &json!("marco@example.com")));
        app.wait(86_400);
        let coupon = app.all("coupons").await.remove(0);
        let order = json!({ "order_id": "order_1", "amount": 2000, "coupon_code": coupon["code"] });
        app.post("/api/v1/conversions", order).await.ok();
        let rewarded = app.get(&path).await.ok();
        assert_eq!((&rewarded["status"], &rewarded["reward_amount"]), (&json!("rewarded"), &json!(750)));
        let listed = app.get(&format!("/v1/referrals?referrer_customer={}", id(&ines))).await.ok();
        assert_eq!(listed["data"], json!([rewarded]));
        let balance = app.balance(&signup, "USD", None).await;
        assert_eq!(balance["available"], 750);
        let events = app.get("/v1/events").await.ok();
        let told: Vec<_> = events["data"].as_array().expect("events").iter().map(|event| {
            let object = &event["data"]["object"];
            (event["type"].clone(), object["status"].clone(), object["reward_amount"].clone())
        }).collect();
        assert_eq!(told, [
            (json!("referral.rewarded"), json!("rewarded"), json!(750)),
            (json!("referral.qualified"), json!("qualified"), json!(null)),
            (json!("referral.created"), json!("pending"), json!(null)),
        ]);
        let last = &events["data"][0];
        assert_eq!(last["data"]["object"], rewarded);
        assert_eq!(app.get(&format!("/v1/events/{}", id(last))).await.ok(), *last);
        let ours = app.get("/api/v1/events?types=poster.created").await.ok()["events"][0].clone();
        refused(&app.get(&format!("/v1/events/{}", id(&ours))).await, 404, (INVALID, "resource_missing", Some("id")));
        let behind = app.get(&format!("/v1/events?starting_after={}", id(&ours))).await;
        refused(&behind, 400, (INVALID, "parameter_invalid", Some("starting_after")));
        let at = last["created"].as_i64().expect("a time");
        for (query, count) in [
            ("type=referral.created".to_owned(), 1), ("type=payment.completed".to_owned(), 0), ("limit=2".to_owned(), 2),
            (format!("created.gte={at}"), 2), (format!("created[gt]={at}"), 0), (format!("created[lt]={at}"), 1),
            (format!("created.lte={at}"), 3), (format!("starting_after={}", id(last)), 2),
            (format!("ending_before={}", id(last)), 0),
        ] {
            let page = app.get(&format!("/v1/events?{query}")).await.ok();
            assert_eq!(page["data"].as_array().expect("events").len(), count, "{query}");
        }
        refused(&app.get("/v1/events?created.gte=x").await, 400, (INVALID, "parameter_invalid", Some("created.gte")));
        app.refunds("order_1", 2000, "note_1").await;
        assert_eq!(app.get(&path).await.ok(), rewarded, "what is taken back is in the ledger");
        assert_eq!(app.balance(&signup, "USD", None).await["available"], 0);
    }
}

/// The HMAC is computed here by another library's hand: openssl's.
fn signature_of(secret: &str, text: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl");
    let mut input = openssl.stdin.take().expect("an input");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    let output = openssl.wait_with_output().expect("a digest");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.rsplit(' ').next().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn endpoints_hear_of_referrals_in_vinrs_words_and_with_its_signature() {
    for database in [Database::sqlite(), Database::postgres()] {
        let settings = [
            ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
            ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
        ];
        let app = TestApp::start_with(database, &settings).await;
        let receiver = Receiver::friendly();
        let body = format!(
            "url={}&enabled_events[]=referral.created&enabled_events[]=payment.completed",
            receiver.url
        );
        let endpoint = made(&app.form("/v1/webhook-endpoints", &body, &[]).await);
        assert!(id(&endpoint).starts_with("we_"), "{endpoint}");
        assert_eq!(
            (&endpoint["status"], &endpoint["enabled_events"]),
            (
                &json!("enabled"),
                &json!(["referral.created", "payment.completed"])
            )
        );
        let secret = endpoint["secret"].as_str().expect("a secret").to_owned();
        for _ in 0..50 {
            if !receiver.received().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(
            receiver.received()[0].json()["type"],
            "webhook.test",
            "saved and tried out"
        );
        let (ines, marco) = (
            app.known("ines@example.com").await,
            app.known("marco@example.com").await,
        );
        let referral = app.referred(&ines, &marco).await;
        app.a_referral().await;
        app.get("/v1/events").await.ok();
        deliver_due(&app.app).await.expect("delivered");
        let received = receiver.received();
        assert_eq!(
            received.len(),
            2,
            "only what it wants to hear, and what is VINR's"
        );
        let event = app.get("/v1/events").await.ok()["data"][0].clone();
        let got = &received[1];
        assert_eq!(got.json(), event);
        assert_eq!(event["data"]["object"], referral);
        let stamp = &got.headers["x-vinr-timestamp"];
        let signed = format!("{stamp}.{}", got.body);
        assert_eq!(
            got.headers["x-vinr-signature"],
            signature_of(&secret, &signed)
        );
        assert!(!got.headers.contains_key("webhook-signature"));
        let path = format!("/v1/webhook-endpoints/{}", id(&endpoint));
        let mut shown = endpoint.clone();
        shown.as_object_mut().expect("an object").remove("secret");
        assert_eq!(app.get(&path).await.ok(), shown);
        assert_eq!(
            app.get("/v1/webhook-endpoints").await.ok()["data"],
            json!([shown])
        );
        let changed = app
            .form(&path, "enabled_events[]=*&status=disabled", &[])
            .await
            .ok();
        assert_eq!(
            (&changed["status"], &changed["enabled_events"]),
            (&json!("disabled"), &json!(["*"]))
        );
        let ours = app
            .all_of("webhook-endpoints", "webhook_endpoints")
            .await
            .remove(0);
        assert_eq!(
            (&ours["dialect"], &ours["types"]),
            (&json!("vinr"), &json!(["introduction.*"]))
        );
        let other = json!({ "url": receiver.url });
        let other = app.post("/api/v1/webhook-endpoints", other).await.ok();
        let foreign = format!(
            "/v1/webhook-endpoints/{}",
            id(&other).replacen("whe_", "we_", 1)
        );
        refused(
            &app.get(&foreign).await,
            404,
            (INVALID, "resource_missing", Some("id")),
        );
        let gone = app
            .send(Method::DELETE, &path, &[], None::<String>)
            .await
            .ok();
        assert_eq!(gone, json!({ "id": endpoint["id"], "deleted": true }));
        refused(
            &app.get(&path).await,
            404,
            (INVALID, "resource_missing", Some("id")),
        );
        refused(
            &app.form("/v1/webhook-endpoints", "url=ftp://x", &[]).await,
            400,
            (INVALID, "parameter_invalid", Some("url")),
        );
        app.stop().await;
    }
}

#[actix_web::test]
async fn kept_answers_are_encrypted_with_the_key_that_secrets_are() {
    for database in [Database::sqlite(), Database::postgres()] {
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let app = TestApp::start_with(database, &[("HANDBILL_ENCRYPTION_KEYS", key)]).await;
        let (body, key) = (
            "url=https://example.com/hooks",
            [("idempotency-key", "one")],
        );
        let endpoint = app.form("/v1/webhook-endpoints", body, &key).await;
        let secret = made(&endpoint)["secret"].clone();
        let secret = secret.as_str().expect("a secret");
        let again = app.form("/v1/webhook-endpoints", body, &key).await;
        assert!(again.is_replay());
        assert_eq!(again.text(), endpoint.text());
        let account = app.database.account_named("default");
        let kept = dump(&mut app.database.connect(), &account).join("\n");
        assert!(kept.contains("enc1:") && !kept.contains(secret), "{kept}");
        app.stop().await;
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
