//! Old scans lose what is personal about them, and nothing else.

use handbill::worker::{self, Reached};
use serde_json::json;

use crate::support::{Database, TestApp, on_both};

#[actix_web::test]
async fn scans_forget_addresses_and_user_agents_after_the_configured_days() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_with(database, &[("HANDBILL_SCAN_RETENTION_DAYS", "30")]).await;
        let poster = app.a_poster().await;
        let scan = async |at: &str| {
            let body = json!({
                "poster_id": poster["id"], "scanned_at": at, "user_agent": "Mozilla/5.0", "ip_address": "203.0.113.9",
                "metadata": { "device_type": "mobile" },
            });
            app.post("/api/v1/impressions", body).await.ok()
        };
        let old = scan("2024-01-30T08:59:59Z").await;
        let young = scan("2024-01-31T09:00:01Z").await;
        assert_eq!(
            worker::retain(&app.app, &mut Reached::default())
                .await
                .expect("done"),
            1
        );
        assert_eq!(
            worker::retain(&app.app, &mut Reached::default())
                .await
                .expect("done"),
            0,
            "nothing is left to forget"
        );
        let mut reached = Reached::default();
        assert_eq!(
            worker::retain(&app.app, &mut reached).await.expect("done"),
            0
        );
        let late = scan("2024-01-29T08:00:00Z").await;
        let mut from_the_beginning = Reached::default();
        let again = worker::retain(&app.app, &mut from_the_beginning).await;
        assert_eq!(again.expect("done"), 1, "as it is done once a day");
        let mut late_forgotten = late.clone();
        late_forgotten["user_agent"] = json!(null);
        late_forgotten["ip_address"] = json!(null);
        let mut forgotten = old.clone();
        forgotten["user_agent"] = json!(null);
        forgotten["ip_address"] = json!(null);
        assert_eq!(
            app.all("impressions").await,
            vec![late_forgotten, forgotten, young]
        );
        app.stop().await;
    }
}

on_both! {
    with [("HANDBILL_SCAN_RETENTION_DAYS", "30"), ("HANDBILL_IMPRESSION_EVENTS", "on")] =>
    async fn the_events_of_scans_forget_too(app: &TestApp) {
        let poster = app.a_poster().await;
        let scan = json!({ "poster_id": poster["id"], "user_agent": "canary/1.0", "ip_address": "203.0.113.9", "metadata": { "a": 1 } });
        app.post("/api/v1/impressions", scan.clone()).await.ok();
        app.wait(31 * 86_400);
        app.post("/api/v1/impressions", scan).await.ok();
        let before = app.all("events").await;
        let mut reached = Reached::default();
        for _ in 0..2 {
            assert!(worker::retain(&app.app, &mut reached).await.is_ok());
            let after = app.all("events").await;
            let scans: Vec<_> = after.iter().filter(|event| event["type"] == "impression.created").collect();
            assert_eq!((&scans[0]["data"]["user_agent"], &scans[0]["data"]["ip_address"]), (&json!(null), &json!(null)));
            assert_eq!(scans[0]["data"]["metadata"], json!({ "a": 1 }));
            assert_eq!(scans[1], before.last().expect("an event"), "it is not old enough");
            assert_eq!(after.len(), before.len());
        }
    }

    // A journal is replayed when the database is back, and scans are reported late: the order of events is not that of scans.
    async fn a_scan_that_is_told_late_is_forgotten_in_time_and_no_younger_one_with_it(app: &TestApp) {
        let poster = app.a_poster().await;
        app.wait(60 * 86_400);
        let days = [1, 2, 29, 40, 1, 31, 3];
        for day in days {
            let at = app.app.clock.now().plus_seconds(-day * 86_400);
            let scan = json!({ "poster_id": poster["id"], "scanned_at": at, "user_agent": "canary/1.0" });
            app.post("/api/v1/impressions", scan).await.ok();
        }
        let known = async || -> Vec<bool> {
            let events = app.all("events").await;
            let scans = events.iter().filter(|event| event["type"] == "impression.created");
            scans.map(|scan| scan["data"]["user_agent"] == "canary/1.0").collect()
        };
        let younger_than = |age: i64| days.map(|day| day < age).to_vec();
        let mut reached = Reached::default();
        worker::retain(&app.app, &mut reached).await.expect("done");
        assert_eq!(known().await, younger_than(30));
        // Two days later another is too old.
        app.wait(2 * 86_400);
        worker::retain(&app.app, &mut reached).await.expect("done");
        assert_eq!(known().await, younger_than(28));
    }
}

on_both! {
    async fn without_a_setting_nothing_is_forgotten(app: &TestApp) {
        app.a_scan().await;
        app.wait(400 * 86_400);
        assert_eq!(
            worker::retain(&app.app, &mut Reached::default())
                .await
                .expect("done"),
            0
        );
    }
}
