//! Whatever is not the contract gets the one error shape, and nothing is stored.

use reqwest::Method;
use serde_json::json;

use crate::support::{a_signup, on_both};

on_both! {
    async fn a_body_that_is_not_one_json_object_is_refused(app: &TestApp) {
        for (body, start) in [
            (&b""[..], "The request body is empty"),
            (b"{", "The request body is not valid JSON"),
            (b"{\"a\":1}}", "The request body is not valid JSON"),
            (b"[]", "The request body must be a JSON object"),
            (b"[1]", "The request body must be a JSON object"),
            (b"\"text\"", "The request body must be a JSON object"),
            (b"null", "The request body must be a JSON object"),
            (b"5", "The request body must be a JSON object"),
            (b"{\"first_name\":\"\xff\"}", "The request body is not valid JSON"),
            (b"{\"first_name\":\"\\ud800\"}", "The request body is not valid JSON"),
            (b"{\"email\":\"a@b.example\",\"email\":\"c@d.example\"}", "The request body is not valid JSON: the key \"email\" stands there twice"),
            (b"\xef\xbb\xbf{}", "The request body is not valid JSON"),
        ] {
            let refused = app.post_text("/api/v1/referrals", body).await.refused_with(400);
            assert_eq!(refused["code"], "malformed_body");
            assert!(refused["message"].as_str().is_some_and(|message| message.starts_with(start)), "{refused}");
        }
        let deep = format!("{{\"metadata\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        app.post_text("/api/v1/referrals", deep).await.refused_with(400);
        assert!(app.all("referrals").await.is_empty());
    }

    async fn fields_of_the_wrong_kind_are_refused_all_at_once(app: &TestApp) {
        let body = json!({
            "impression_id": 1, "first_name": ["a"], "last_name": {}, "email": true, "profile_picture": 5,
            "metadata": "x", "idempotency_key": 1.5,
        });
        let refused = app.post("/api/v1/referrals", body).await.refused(400, "impression_id must be a string");
        let fields: Vec<_> = refused["errors"].as_array().expect("errors").iter().map(|e| e["field"].clone()).collect();
        assert_eq!(fields, ["impression_id", "first_name", "last_name", "email", "profile_picture", "metadata", "idempotency_key"]);
        assert!(refused["errors"].as_array().expect("errors").iter().all(|e| e["code"] == "wrong_type"));
    }

    async fn texts_are_trimmed_bounded_and_clean(app: &TestApp) {
        let scan = app.a_scan().await;
        for (field, bad, message) in [
            ("first_name", "a\0b".to_owned(), "first_name must not contain the null character (U+0000)"),
            ("email", "a\0b@example.com".to_owned(), "email must not contain the null character (U+0000)"),
            ("profile_picture", "https://example.com/\0".to_owned(), "profile_picture must not contain the null character (U+0000)"),
            ("first_name", "   ".to_owned(), "first_name must not be blank"),
            ("last_name", String::new(), "last_name must not be blank"),
            ("first_name", "x".repeat(256), "first_name must be at most 255 characters"),
            ("last_name", "a\u{1b}[31mb".to_owned(), "last_name must not contain control characters"),
            ("email", ".john@example.com".to_owned(), "email must be a valid e-mail address"),
            ("email", "jo..hn@example.com".to_owned(), "email must be a valid e-mail address"),
            ("profile_picture", "http:///example.com/x".to_owned(), "profile_picture must be an absolute http:// or https:// URL"),
            ("profile_picture", "http://2130706433/x".to_owned(), "profile_picture must be an absolute http:// or https:// URL"),
            ("email", "john".to_owned(), "email must be a valid e-mail address"),
            ("email", "john@".to_owned(), "email must be a valid e-mail address"),
            ("email", "a b@example.com".to_owned(), "email must be a valid e-mail address"),
            ("email", "john@example.com\r\nbcc: x@y.example".to_owned(), "email must be a valid e-mail address"),
            ("email", format!("{}@example.com", "x".repeat(250)), "email must be at most 254 characters"),
            ("profile_picture", "javascript:alert(1)".to_owned(), "profile_picture must be an absolute http:// or https:// URL"),
            ("profile_picture", "/relative.jpg".to_owned(), "profile_picture must be an absolute http:// or https:// URL"),
            ("profile_picture", "file:///etc/passwd".to_owned(), "profile_picture must be an absolute http:// or https:// URL"),
            ("profile_picture", "https://user:pw@example.com/x".to_owned(), "profile_picture must not contain a user name or password"),
            ("profile_picture", format!("https://example.com/{}", "x".repeat(2048)), "profile_picture must be at most 2048 characters"),
        ] {
            let mut body = a_signup(&scan);
            body[field] = json!(bad);
            app.post("/api/v1/referrals", body).await.refused(400, message);
        }
        assert!(app.all("referrals").await.is_empty(), "nothing was stored");
        for name in ["José", "李小龍", "O'Connor-Smith", "Ñ", "🎓", "<b>x</b>", "x'; DROP TABLE referrals;--", "null", "\u{202e}abc"] {
            let mut body = a_signup(&scan);
            body["first_name"] = json!(name);
            assert_eq!(app.post("/api/v1/referrals", body).await.ok()["first_name"], name, "comes back as it was");
        }
        let mut body = a_signup(&scan);
        body["first_name"] = json!("é".repeat(255));
        app.post("/api/v1/referrals", body).await.ok();
    }

    async fn metadata_comes_back_as_it_was_sent_or_is_refused(app: &TestApp) {
        let scan = app.a_scan().await;
        let text = r#"{"z":1,"a":{"b":[1,2.5,-0.0,1e2,null,true,"\u00e9\n"]},"big":18446744073709551615,"":""}"#;
        let body = format!(
            r#"{{"impression_id":{},"first_name":"A","last_name":"B","email":"a@b.example","metadata":{text}}}"#,
            scan["id"]
        );
        let answer = app.post_text("/api/v1/referrals", body).await;
        let kept = r#"{"z":1,"a":{"b":[1,2.5,-0.0,100.0,null,true,"é\n"]},"big":18446744073709551615,"":""}"#;
        assert!(answer.text().ends_with(&format!(r#""metadata":{kept}}}"#)), "{}", answer.text());
        let mut deep = json!(1);
        for _ in 0..20 {
            deep = json!({ "a": deep });
        }
        for (bad, message) in [
            (json!({ "a": "x".repeat(17_000) }), "metadata must be at most 16384 bytes of JSON"),
            (deep, "metadata must not nest deeper than 16 levels"),
            (json!({ "a": 1e30 }), "metadata must not contain numbers too large to be kept exactly; send them as strings"),
            (json!([]), "metadata must be an object"),
            (json!({ "a": ["\0"] }), "metadata must not contain the null character (U+0000)"),
            (json!({ "a": { "\0": 1 } }), "metadata must not contain the null character (U+0000)"),
        ] {
            let mut body = a_signup(&scan);
            body["metadata"] = bad;
            app.post("/api/v1/referrals", body).await.refused(400, message);
        }
    }

    async fn a_method_that_is_not_offered_is_a_405_that_says_which_are(app: &TestApp) {
        for (path, method, allow) in [
            ("/api/v1/referrals", Method::DELETE, "GET, POST, HEAD"),
            ("/api/v1/referrals", Method::PUT, "GET, POST, HEAD"),
            ("/api/v1/referrals/ref_1", Method::POST, "GET, PUT, HEAD"),
            ("/api/v1/referrals/ref_1", Method::PATCH, "GET, PUT, HEAD"),
            ("/api/v1/impressions/imp_1", Method::PUT, "GET, HEAD"),
            ("/api/v1/users", Method::OPTIONS, "GET, POST, HEAD"),
            ("/q/ABCDE", Method::POST, "GET, HEAD"),
            ("/healthz", Method::DELETE, "GET, HEAD"),
        ] {
            let answer = app.send(method, path, &[], None::<String>).await;
            answer.refused_with(405);
            assert_eq!(answer.header("allow"), Some(allow), "{path}");
        }
    }

    async fn an_unknown_path_is_a_404_in_the_same_shape(app: &TestApp) {
        for path in ["/", "/nope", "/api", "/api/v2/users", "/api/v1/nope", "/api/v1/users/a/b",
            "/favicon.ico", "/../etc/passwd", "/%00", "/docs/nope.js", "/api/v1/users/"] {
            app.get(path).await.refused_with(404);
        }
    }

    async fn only_json_is_taken(app: &TestApp) {
        let scan = app.a_scan().await;
        let body = a_signup(&scan).to_string();
        let post = async |kind: &'static str| {
            app.send(Method::POST, "/api/v1/referrals", &[("content-type", kind)], Some(body.clone())).await
        };
        for bad in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data", ""] {
            post(bad).await.refused(415, "The request body must be sent as Content-Type: application/json, and not compressed");
        }
        let packed = [("content-encoding", "gzip")];
        app.send(Method::POST, "/api/v1/referrals", &packed, Some(body.clone())).await.refused_with(415);
        assert!(app.all("referrals").await.is_empty());
        for good in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
            post(good).await.ok();
        }
    }

    async fn a_period_that_ends_before_it_begins_is_refused(app: &TestApp) {
        for query in ["stats?from=2024-02-02&to=2024-02-01", "stats?from=9999-01-01",
            "audit-log?from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z"] {
            let refused = app.get(&format!("/api/v1/{query}")).await.refused_with(400);
            assert_eq!(refused["errors"], json!([{"field": "to", "code": "invalid_period", "message": "to must not be before from"}]));
        }
        let endpoint = json!({ "url": "https://hooks.example.com/", "events": ["referral.created"] });
        let endpoint = app.post("/api/v1/webhook-endpoints", endpoint).await.ok();
        let path = format!("/api/v1/webhook-endpoints/{}:replay", endpoint["id"].as_str().expect("an id"));
        let period = json!({ "from": "2024-01-02T00:00:00Z", "to": "2024-01-01T00:00:00Z" });
        assert_eq!(app.post(&path, period).await.refused_with(400)["errors"][0]["code"], "invalid_period");
        app.get("/api/v1/stats?from=2024-02-02&to=2024-02-02").await.ok();
        app.get("/api/v1/stats?to=2020-01-01").await.ok();
    }

    async fn a_key_that_nobody_can_see_is_refused(app: &TestApp) {
        for key in ["\u{200b}", " \u{feff} ", "\u{3164}"] {
            let body = json!({ "name": "A", "landing_url": "https://example.com", "idempotency_key": key });
            let refused = app.post("/api/v1/programs", body).await.refused_with(400);
            assert_eq!(refused["errors"][0]["code"], "invalid_idempotency_key");
        }
    }

    async fn a_program_for_ambassadors_has_no_coupon_terms(app: &TestApp) {
        for (field, value) in [("coupon_prefix", json!("MINE-")), ("coupon_days", json!(30))] {
            let mut body = json!({ "name": "A", "landing_url": "https://example.com" });
            body[field] = value.clone();
            assert_eq!(app.post("/api/v1/programs", body).await.refused_with(409)["code"], "not_for_customers");
            let program = app.a_program().await;
            let path = format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"));
            let refused = app.put(&path, json!({ field: value })).await;
            assert_eq!(refused.refused_with(409)["code"], "not_for_customers");
            assert_eq!(app.get(&path).await.ok(), program, "nothing changed");
        }
    }

    async fn a_body_that_is_too_large_is_a_413(app: &TestApp) {
        let body = format!("{{\"x\":\"{}\"}}", "a".repeat(1024 * 1024));
        app.post_text("/api/v1/referrals", body).await.refused(413, "The request body is larger than 1048576 bytes");
    }

    async fn a_request_keeps_a_tame_id_and_gets_one_otherwise(app: &TestApp) {
        let ask = async |id: &'static str| {
            let answer = app.send(Method::GET, "/api/v1/users/x", &[("x-request-id", id)], None::<String>).await;
            answer.refused_with(404)["request_id"].as_str().expect("an id").to_owned()
        };
        assert_eq!(ask("my-id.1_A").await, "my-id.1_A");
        for wild in ["a b", "x\"y", "<script>", "é"] {
            assert!(ask(wild).await.starts_with("req_"), "{wild}");
        }
    }
}
