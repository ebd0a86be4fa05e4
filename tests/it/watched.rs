//! What whoever runs the server sees of it: health, readiness, metrics; and what browsers are told with every answer.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use handbill::worker;
use serde_json::json;

use crate::support::{Database, TestApp, on_both};

async fn metrics(app: &TestApp) -> String {
    let answer = app.nobody().get("/metrics").await;
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").expect("a type");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    answer.text()
}

/// The value of a line that begins so.
fn value(text: &str, line: &str) -> f64 {
    let found = text.lines().find_map(|other| other.strip_prefix(line));
    let found = found.unwrap_or_else(|| panic!("no {line} in {text}"));
    found.trim().parse().expect("a number")
}

on_both! {
    async fn readiness_says_what_the_database_is_and_how_much_room_there_is(app: &TestApp) {
        assert_eq!(app.nobody().get("/healthz").await.ok(), json!({ "status": "ok" }));
        let ready = app.nobody().get("/readyz").await.ok();
        let database = ready["database"].as_str().expect("a name");
        let name = if app.database.is_sqlite() { "SQLite 3." } else { "PostgreSQL 1" };
        assert!(database.starts_with(name), "{database}");
        assert_eq!((&ready["status"], &ready["migrated"]), (&json!("ok"), &json!(true)));
        assert!(ready["disk_free_megabytes"].as_u64().is_some_and(|free| free > 0), "{ready}");
    }

    async fn a_database_that_lacks_a_migration_is_not_ready(app: &TestApp) {
        let forget = "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
        app.database.connect().batch_execute(forget).expect("a database from before");
        let ready = app.nobody().get("/readyz").await;
        assert_eq!(ready.status, 503);
        assert_eq!((&ready.json()["status"], &ready.json()["migrated"]), (&json!("unavailable"), &json!(false)));
    }

    async fn requests_are_counted_by_route_and_status_and_nothing_of_the_caller_is_a_label(app: &TestApp) {
        app.get("/api/v1/users/user_canary").await.refused_with(404);
        app.get("/api/v1/users/user_canary2").await.refused_with(404);
        app.get("/canary3").await.refused_with(404);
        app.send("CANARY".parse().expect("a method"), "/api/v1/users", &[], None::<String>).await;
        let scan = app.a_scan().await;
        let text = metrics(app).await;
        let of = |method: &str, route: &str, status: u16| {
            value(&text, &format!("handbill_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"))
        };
        assert!((of("GET", "/api/v1/users/{id}", 404) - 2.0).abs() < 0.1);
        assert!((of("GET", "none", 404) - 1.0).abs() < 0.1);
        assert!((of("POST", "/api/v1/impressions", 200) - 1.0).abs() < 0.1);
        assert!(value(&text, "handbill_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/users/{id}\"}") > 1.9);
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(!text.contains(scan["id"].as_str().expect("an id")));
        assert!(value(&text, "handbill_connections_limit") > 0.0);
        assert!(value(&text, "handbill_disk_free_bytes") > 0.0);
        assert!(value(&text, "handbill_writer_queue_limit") > 0.0);
        for idle in ["handbill_writer_queue", "handbill_scans_waiting", "handbill_signups_waiting", "handbill_connections_waiting"] {
            assert!(value(&text, &format!("{idle} ")) < 0.1, "{idle}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    async fn what_the_alarms_ask_for_is_measured(app: &TestApp) {
        let poster = app.a_poster().await;
        let code = poster["code"].as_str().expect("a code");
        assert_eq!(app.nobody().get(&format!("/q/{code}")).await.status, 302);
        assert_eq!(app.nobody().get("/q/a/b").await.status, 404);
        let text = metrics(app).await;
        let asked = std::fs::read_to_string("docs/deploy/alerts.yml").expect("the alarms");
        let metric = |word: &&str| word.starts_with("handbill_");
        let words = asked.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for name in words.filter(metric) {
            assert!(text.contains(name), "{name}");
        }
        for label in asked.split("route=").skip(1) {
            let label = label.split(['}', ',']).next().expect("a label");
            let label = label.trim_matches('"');
            assert!(text.contains(&format!("route=\"{label}")), "{label}");
        }
        assert!(text.contains("route=\"/q/{code}\""), "{text}");
    }

    async fn the_sizes_of_groups_are_a_histogram_of_writes(app: &TestApp) {
        let poster = app.a_poster().await;
        let code = poster["code"].as_str().expect("a code");
        let before = metrics(app).await;
        let of = |text: &str, what: &str| value(text, &format!("handbill_writer_group_size_{what}"));
        let nobody = app.nobody();
        let path = format!("/q/{code}");
        let scans = futures_util::future::join_all((0..50).map(|_| nobody.get(&path))).await;
        assert!(scans.iter().all(|scan| scan.status == 302));
        let text = metrics(app).await;
        assert!((of(&text, "sum ") - of(&before, "sum ") - 50.0).abs() < 0.1, "each scan is one write: {text}");
        let groups = of(&text, "count ") - of(&before, "count ");
        assert!((1.0..=50.0).contains(&groups), "{groups}");
        let commits = value(&text, "handbill_writer_commits_total ");
        assert!(commits >= of(&text, "count "), "{text}");
        let all = of(&text, "bucket{le=\"+Inf\"}");
        assert!((all - of(&text, "count ")).abs() < 0.1);
    }

    async fn webhooks_that_are_behind_are_seen(app: &TestApp) {
        let endpoint = json!({ "url": "https://example.com/hook" });
        app.post("/api/v1/webhook-endpoints", endpoint).await.ok();
        worker::measure(&app.app).await.expect("a look");
        assert!(value(&metrics(app).await, "handbill_webhook_events_behind") < 0.1);
        app.a_referral().await;
        app.get("/api/v1/events").await.ok();
        app.wait(90);
        worker::measure(&app.app).await.expect("a look");
        let text = metrics(app).await;
        assert!(value(&text, "handbill_webhook_events_behind") > 0.9, "{text}");
        assert!((89.0..92.0).contains(&value(&text, "handbill_webhook_oldest_event_seconds")), "{text}");
    }

    async fn browsers_are_told_to_do_nothing_with_an_answer(app: &TestApp) {
        let poster = app.a_poster().await;
        let code = poster["code"].as_str().expect("a code");
        for (path, whose, kept) in [
            ("/api/v1/programs".to_owned(), "same-origin", Some("no-store")),
            ("/api/v1/nothing".to_owned(), "same-origin", Some("no-store")),
            ("/healthz".to_owned(), "same-origin", None),
            (format!("/q/{code}"), "same-origin", Some("no-store")),
            (format!("/qr/{code}.png"), "cross-origin", None),
        ] {
            let answer = app.get(&path).await;
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), Some(whose), "{path}");
            let policy = answer.header("content-security-policy").expect("a policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            if let Some(kept) = kept {
                assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
            }
        }
    }
}

on_both! {
    with [("HANDBILL_METRICS_BIND", "127.0.0.1:0")] =>
    async fn metrics_that_are_elsewhere_are_not_here(app: &TestApp) {
        app.nobody().get("/metrics").await.refused_with(404);
    }
}

#[actix_web::test]
async fn a_database_that_takes_no_writes_is_not_ready() {
    for database in [
        Database::sqlite(),
        Database::postgres_of_its_own("takes_no_writes"),
    ] {
        let app = TestApp::start(database).await;
        let mut conn = app.database.connect();
        let mut change = |to: &str| conn.batch_execute(to).expect("done");
        let alter = |how: &str| {
            format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {how}', current_database()); END $$"
            )
        };
        let all_others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let (close, open) = match app.database.is_sqlite() {
            true => ("BEGIN IMMEDIATE".to_owned(), "ROLLBACK".to_owned()),
            false => (
                format!(
                    "{}; {all_others}",
                    alter("SET default_transaction_read_only = on")
                ),
                format!(
                    "{}; {all_others}",
                    alter("RESET default_transaction_read_only")
                ),
            ),
        };
        change(&close);
        // Connections of before are found to be dead.
        app.nobody().get("/readyz").await;
        let began = Instant::now();
        let ready = app.nobody().get("/readyz").await;
        assert_eq!(
            (ready.status, &ready.json()["writable"]),
            (503, &json!(false))
        );
        assert!(ready.json()["database"].is_string(), "it answers");
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{:?}",
            began.elapsed()
        );
        change(&open);
        app.nobody().get("/readyz").await;
        let ready = app.nobody().get("/readyz").await.ok();
        assert_eq!(
            (&ready["status"], &ready["writable"]),
            (&json!("ok"), &json!(true))
        );
        app.stop().await;
    }
}
