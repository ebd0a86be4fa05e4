//! `/api/v1/impressions`.

use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn an_impression_has_exactly_the_published_keys(app: &TestApp) {
        let poster = app.a_poster().await;
        let body = json!({
            "poster_id": poster["id"], "scanned_at": "2024-02-28T23:59:59+01:00", "user_agent": "Mozilla/5.0",
            "ip_address": "203.0.113.9", "metadata": { "device_type": "mobile", "referrer": "direct" },
        });
        let impression = app.post("/api/v1/impressions", body).await.ok();
        assert_eq!(impression, json!({
            "id": impression["id"], "poster_id": poster["id"], "program_id": poster["program_id"],
            "student_id": poster["student_id"], "scanned_at": "2024-02-28T22:59:59Z", "user_agent": "Mozilla/5.0",
            "ip_address": "203.0.113.9", "metadata": { "device_type": "mobile", "referrer": "direct" },
        }));
        let path = format!("/api/v1/impressions/{}", impression["id"].as_str().expect("an id"));
        assert_eq!(app.get(&path).await.ok(), impression);
    }

    async fn an_impression_may_say_nothing_but_its_poster(app: &TestApp) {
        let poster = app.a_poster().await;
        let impression = app.a_scan_of(&poster).await;
        assert_eq!(impression["scanned_at"], "2024-03-01T09:00:00Z");
        assert_eq!(impression["user_agent"], json!(null));
        assert_eq!(impression["ip_address"], json!(null));
        assert_eq!(impression["metadata"], json!({}));
    }

    async fn impressions_are_listed_in_the_order_of_the_scans(app: &TestApp) {
        let poster = app.a_poster().await;
        for at in ["2024-02-03T00:00:00Z", "2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z"] {
            let body = json!({ "poster_id": poster["id"], "scanned_at": at });
            app.post("/api/v1/impressions", body).await.ok();
        }
        let times: Vec<_> = app.all("impressions").await.iter().map(|scan| scan["scanned_at"].clone()).collect();
        assert_eq!(times, ["2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z", "2024-02-03T00:00:00Z"]);
    }

    async fn impressions_are_filtered_by_program_poster_and_student(app: &TestApp) {
        let (one, two) = (app.a_poster().await, app.a_poster().await);
        let (first, second) = (app.a_scan_of(&one).await, app.a_scan_of(&two).await);
        let get = async |query: String| app.get(&format!("/api/v1/impressions?{query}")).await.ok()["impressions"].clone();
        let text = |value: &serde_json::Value| value.as_str().expect("an id").to_owned();
        assert_eq!(get(format!("programId={}", text(&one["program_id"]))).await, json!([first]));
        assert_eq!(get(format!("posterId={}", text(&two["id"]))).await, json!([second]));
        assert_eq!(get(format!("poster_id={}", text(&two["id"]))).await, json!([second]));
        assert_eq!(get(format!("studentId={}", text(&one["student_id"]))).await, json!([first]));
        let both = format!("posterId={}&programId={}", text(&two["id"]), text(&one["program_id"]));
        assert_eq!(get(both).await, json!([]), "filters combine");
    }

    async fn an_impression_that_cannot_be_is_refused(app: &TestApp) {
        let poster = app.a_poster().await;
        let with = |field: &str, value: serde_json::Value| {
            let mut body = json!({ "poster_id": poster["id"] });
            body[field] = value;
            body
        };
        for (field, value, message) in [
            ("poster_id", json!("poster_unknown"), "Invalid poster_id: no such poster"),
            ("poster_id", json!(null), "Missing required field: poster_id"),
            ("scanned_at", json!("yesterday"), "scanned_at must be an ISO 8601 time with a zone, such as 2024-01-15T10:30:00Z, from 1970 on"),
            ("scanned_at", json!("2024-03-01T10:00:00Z"), "scanned_at must not lie in the future"),
            ("ip_address", json!("999.1.1.1"), "ip_address must be an IPv4 or IPv6 address"),
            ("user_agent", json!("x".repeat(2001)), "user_agent must be at most 2000 characters"),
            ("metadata", json!([1]), "metadata must be an object"),
        ] {
            app.post("/api/v1/impressions", with(field, value)).await.refused(400, message);
        }
        assert!(app.all("impressions").await.is_empty(), "nothing was stored");
    }
}
