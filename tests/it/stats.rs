//! The counts, and lists of scans that are filed or not.

use std::time::Duration;

use handbill::worker;
use serde_json::{Value, json};

use crate::support::{TestApp, on_both};

async fn stats(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/api/v1/stats?{query}")).await.ok()
}

fn funnel(stats: &Value) -> Vec<i64> {
    [
        "scans",
        "signups",
        "pending",
        "converted",
        "verified",
        "rejected",
    ]
    .map(|name| stats[name].as_i64().expect("a number"))
    .to_vec()
}

on_both! {
    async fn the_funnel_counts_scans_signups_and_where_they_stand(app: &TestApp) {
        assert_eq!(stats(app, "").await, json!({
            "from": "2024-01-31", "to": "2024-03-01", "scans": 0, "signups": 0, "pending": 0, "converted": 0,
            "verified": 0, "rejected": 0, "days": [],
        }));
        let scan = app.a_scan().await;
        let mut referrals = Vec::new();
        for _ in 0..4 {
            referrals.push(app.a_referral_from(&scan).await);
        }
        let decide = async |referral: &Value, status: &str| {
            let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
            app.put(&path, json!({ "status": status })).await.ok();
        };
        decide(&referrals[0], "verified").await;
        decide(&referrals[0], "verified").await;
        decide(&referrals[1], "rejected").await;
        decide(&referrals[1], "pending").await;
        decide(&referrals[2], "converted").await;
        decide(&referrals[3], "rejected").await;
        let all = stats(app, "").await;
        assert_eq!(funnel(&all), [1, 4, 1, 1, 1, 1]);
        assert_eq!(all["days"][0]["day"], "2024-03-01");
        for (filter, id) in [("programId", "program_id"), ("studentId", "student_id"), ("posterId", "poster_id")] {
            let id = scan[id].as_str().expect("an id");
            assert_eq!(stats(app, &format!("{filter}={id}")).await, all, "{filter}");
            assert_eq!(funnel(&stats(app, &format!("{filter}={id}x")).await), [0; 6], "{filter}");
        }
        assert_eq!(funnel(&stats(app, "to=2024-02-29").await), [0; 6]);
        assert_eq!(funnel(&stats(app, "from=2024-03-01&to=2024-03-01").await), [1, 4, 1, 1, 1, 1]);
        let stranger = app.stranger().await;
        assert_eq!(funnel(&stranger.get("/api/v1/stats").await.ok()), [0; 6]);
        app.get("/api/v1/stats?from=yesterday").await.refused_with(400);
    }

    async fn a_signup_that_is_sent_again_or_refused_is_not_counted(app: &TestApp) {
        let scan = app.a_scan().await;
        let signup = json!({
            "impression_id": scan["id"], "first_name": "A", "last_name": "B", "email": "a@example.com",
            "idempotency_key": "one",
        });
        for _ in 0..3 {
            app.post("/api/v1/referrals", signup.clone()).await.ok();
        }
        let mut other = signup.clone();
        other["first_name"] = json!("Other");
        app.post("/api/v1/referrals", other).await.refused_with(409);
        let unknown = json!({ "impression_id": "imp_unknown", "first_name": "A", "last_name": "B", "email": "a@b.de" });
        app.post("/api/v1/referrals", unknown).await.refused_with(400);
        assert_eq!(funnel(&stats(app, "").await), [1, 1, 1, 0, 0, 0]);
    }

    async fn lists_of_scans_are_the_same_before_while_and_after_they_are_filed(app: &TestApp) {
        let posters = [app.a_poster().await, app.a_poster().await];
        let scan = async |poster: &Value| {
            app.wait(1);
            let code = poster["code"].as_str().expect("a code");
            assert_eq!(app.nobody().get(&format!("/q/{code}")).await.status, 302);
        };
        let mut expected: Vec<Vec<Value>> = Vec::new();
        for round in 0..3 {
            for turn in 0..7 {
                scan(&posters[turn % 2]).await;
            }
            // Recorded elsewhere, earlier than what is filed already.
            let late = json!({ "poster_id": posters[0]["id"], "scanned_at": format!("2024-02-0{}T00:00:00Z", round + 1) });
            app.post("/api/v1/impressions", late).await.ok();
            let all = app.all("impressions").await;
            assert_eq!(all.len(), (round + 1) * 8);
            expected = posters.iter().map(|poster| {
                all.iter().filter(|scan| scan["poster_id"] == poster["id"]).cloned().collect()
            }).collect();
            let before = pages(app, &posters).await;
            assert_eq!(before, expected, "round {round}, the last ones not filed");
            assert!(worker::file_scans(&app.app, false, Duration::MAX).await.expect("filed"));
            assert_eq!(pages(app, &posters).await, expected, "round {round}, all filed");
        }
        let path = format!("/api/v1/impressions?posterId={}&order=desc&limit=3&offset=2", id(&posters[0]));
        scan(&posters[0]).await;
        let page = app.get(&path).await.ok();
        let mut backwards = expected[0].clone();
        backwards.reverse();
        assert_eq!(page["impressions"].as_array().expect("a list")[..], backwards[1..4]);
        let contradiction = format!("/api/v1/impressions?posterId={}&programId={}", id(&posters[0]), "prog_other");
        assert_eq!(app.get(&contradiction).await.ok()["impressions"], json!([]));
    }
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

/// Each poster's scans, walked by offset in small pages, and held against the walk by `after` and backwards.
async fn pages(app: &TestApp, posters: &[Value]) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for poster in posters {
        let list = format!("/api/v1/impressions?posterId={}&limit=2", id(poster));
        let rows = |page: &Value| page["impressions"].as_array().expect("a list").clone();
        let (mut by_offset, mut by_cursor, mut backwards) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let page = app
                .get(&format!("{list}&offset={}", by_offset.len()))
                .await
                .ok();
            by_offset.extend(rows(&page));
            if page["has_more"] == false {
                break;
            }
        }
        let mut after = String::new();
        loop {
            let page = app.get(&format!("{list}{after}")).await.ok();
            by_cursor.extend(rows(&page));
            if page["has_more"] == false {
                break;
            }
            after = format!("&after={}", id(by_cursor.last().expect("a scan")));
        }
        loop {
            let page = app
                .get(&format!("{list}&order=desc&offset={}", backwards.len()))
                .await
                .ok();
            backwards.extend(rows(&page));
            if page["has_more"] == false {
                break;
            }
        }
        backwards.reverse();
        assert_eq!(by_offset, by_cursor);
        assert_eq!(by_offset, backwards);
        all.push(by_offset);
    }
    all
}
