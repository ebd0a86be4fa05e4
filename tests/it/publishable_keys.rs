//! Publishable keys: what a web page may read.

use reqwest::Method;
use serde_json::json;

use crate::keys::holder;
use crate::support::everything::one_of_each;
use crate::support::on_both;

on_both! {
    with [("HANDBILL_RATE_LIMIT", "60"), ("HANDBILL_TRUSTED_PROXIES", "127.0.0.1"), ("HANDBILL_BROWSER_ORIGINS", "https://www.example.com, http://localhost:8080")] =>
    async fn a_web_page_may_read_what_is_public_and_nothing_personal(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        let page = holder(app, json!({ "name": "Page", "kind": "publishable" })).await;
        assert!(page.key.as_ref().is_some_and(|key| key.starts_with("pk_")));
        let program = format!("/api/v1/public/programs/{}", own["prog"]);
        let counts = format!("/api/v1/public/users/{}/counts", own["user"]);
        let from = async |origin: &str, path: &str| {
            page.send(Method::GET, path, &[("origin", origin), ("x-forwarded-for", "203.0.113.1")], None::<String>).await
        };
        let answer = from("https://www.example.com", &program).await;
        assert_eq!(answer.ok()["name"], "mine");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://www.example.com"));
        let told = from("http://localhost:8080", &counts).await;
        assert_eq!(told.ok()["scans"], 1);
        assert!(!told.text().contains("mine"), "{}", told.text());
        for origin in ["https://evil.example", "http://www.example.com", "null"] {
            let answer = from(origin, &program).await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
        let asking = [("origin", "https://www.example.com"), ("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
        let answer = app.nobody().send(Method::OPTIONS, &program, &asking, None::<String>).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://www.example.com"));
        assert!(answer.header("access-control-allow-credentials").is_none());
        for (header, value) in [("origin", "https://evil.example"), ("access-control-request-method", "DELETE")] {
            let mut asking = asking;
            asking.iter_mut().filter(|(name, _)| *name == header).for_each(|pair| pair.1 = value);
            let answer = app.nobody().send(Method::OPTIONS, &program, &asking, None::<String>).await;
            assert_eq!(answer.refused_with(403)["code"], "origin_not_allowed");
        }
        // The rest of the API says nothing to pages.
        let own_key = app.get("/api/v1/programs").await;
        assert_eq!(own_key.header("access-control-allow-origin"), None);

        // Everybody has the key, so everybody has a quota of one's own.
        let remaining = async |address: &str| {
            let answer = page.send(Method::GET, &program, &[("x-forwarded-for", address)], None::<String>).await;
            answer.header("x-ratelimit-remaining").map(str::to_owned)
        };
        assert_eq!(remaining("203.0.113.2").await.as_deref(), Some("59"));
        assert_eq!(remaining("203.0.113.3").await.as_deref(), Some("59"));

        let bound = holder(app, json!({ "name": "Page", "kind": "publishable", "student_id": own["user"] })).await;
        bound.get(&counts).await.ok();
        bound.get(&program).await.ok();
        let other = one_of_each(app, "other").await;
        bound.get(&format!("/api/v1/public/programs/{}", other["prog"])).await.refused_with(404);
        bound.get(&format!("/api/v1/public/users/{}/counts", other["user"])).await.refused_with(404);
    }
}
