//! Answers are given again as long as nothing was written. Nobody can tell but by the time it takes.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use handbill::db::DbConnection;
use handbill::worker::file_scans;
use serde_json::json;

use crate::support::{Answer, Database, TestApp, a_signup, on_both};

/// Asks for `path` until the server gives an answer again, and returns that one.
///
/// This may take a while: the server's own work in the background writes, and the snapshot of a PostgreSQL server changes
/// with whatever is written to its other databases, in which other tests are running.
async fn given_again(app: &TestApp, path: &str) -> Answer {
    let started = Instant::now();
    while started.elapsed() < Duration::from_mins(1) {
        let before = app.app.answers.given();
        let answer = app.get(path).await;
        if app.app.answers.given() > before {
            return answer;
        }
    }
    panic!("{path} was never given again");
}

on_both! {
    async fn a_list_that_is_asked_for_again_is_given_again_until_something_is_written(app: &TestApp) {
        let path = "/api/v1/referrals?limit=50";
        let scan = app.a_scan().await;
        let first = app.a_referral_from(&scan).await;
        for _ in 0..3 {
            let page = given_again(app, path).await.ok();
            assert_eq!(page["referrals"].as_array().expect("referrals").len(), 1);
            assert_eq!(page["referrals"][0]["id"], first["id"]);
        }

        let second = app.a_referral_from(&scan).await;
        let page = app.get(path).await.ok();
        assert_eq!(page["referrals"].as_array().expect("referrals").len(), 2);
        assert_eq!(page["referrals"][1]["id"], second["id"]);
    }

    async fn what_was_answered_before_is_in_every_list_after_it(app: &TestApp) {
        let scan = app.a_scan().await;
        let writers = join_all((0..6).map(|_| async {
            for _ in 0..25 {
                let made = app.post("/api/v1/referrals", a_signup(&scan)).await.ok();
                let id = made["id"].as_str().expect("an id").to_owned();
                let page = app.get("/api/v1/referrals?limit=1000").await;
                assert!(page.text().contains(&id), "a list without what was answered before it");
                let path = format!("/api/v1/referrals/{id}");
                for name in ["Ann", "Bea"] {
                    app.put(&path, json!({ "first_name": name })).await.ok();
                    assert_eq!(app.get(&path).await.ok()["first_name"], name);
                }
            }
        }));
        writers.await;
    }

    async fn a_remembered_answer_carries_its_links_and_its_type(app: &TestApp) {
        let scan = app.a_scan().await;
        for _ in 0..3 {
            app.a_referral_from(&scan).await;
        }
        let path = "/api/v1/referrals?limit=2";
        let first = app.get(path).await;
        let again = given_again(app, path).await;
        assert_eq!(first.text(), again.text());
        for header in ["link", "content-type", "x-content-type-options"] {
            assert!(again.header(header).is_some(), "{header}");
            assert_eq!(first.header(header), again.header(header));
        }
        assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
    }

    async fn a_remembered_answer_is_its_own_account_s_only(app: &TestApp) {
        app.a_referral().await;
        let stranger = app.stranger().await;
        given_again(app, "/api/v1/referrals").await;
        let theirs = stranger.get("/api/v1/referrals").await.ok();
        assert_eq!(theirs["referrals"], json!([]));
        app.nobody().get("/api/v1/referrals").await.refused_with(401);
    }

    async fn an_answer_that_is_given_again_is_counted_for_its_route(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        given_again(app, "/api/v1/referrals").await;
        for _ in 0..10 {
            app.get(&path).await.ok();
        }
        let metrics = app.nobody().get("/metrics").await.text();
        let count = "handbill_http_requests_total{method=\"GET\",route=\"/api/v1/referrals/{id}\",status=\"200\"} 10";
        assert!(metrics.contains(count), "{metrics}");
        assert!(metrics.contains("route=\"/api/v1/referrals\""), "{metrics}");
        assert!(!metrics.contains("route=\"none\""), "{metrics}");
    }

    async fn what_another_process_writes_is_seen_within_a_second(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        for path in [path.as_str(), "/api/v1/referrals"] {
            for _ in 0..8 {
                app.get(path).await.ok();
            }
        }
        let mut other = DbConnection::open(&app.database.url).expect("the database");
        other.batch_execute("UPDATE referrals SET first_name = 'Ann'").expect("an update");
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(app.get(&path).await.ok()["first_name"], "Ann");
        let page = app.get("/api/v1/referrals").await.ok();
        assert_eq!(page["referrals"][0]["first_name"], "Ann");
    }
}

/// What was answered stays right when scans are filed. (Another connection's look at the file may come in between.)
#[actix_web::test]
async fn filing_scans_changes_no_answer_and_forgets_none() {
    let app = TestApp::start(Database::sqlite()).await;
    let db = &app.app.db;
    for _ in 0..20 {
        app.a_scan().await;
        let before = db.state().await;
        assert!(
            file_scans(&app.app, false, Duration::MAX)
                .await
                .expect("filed")
        );
        if before.is_some() && db.state().await == before {
            app.stop().await;
            return;
        }
    }
    panic!("every time that scans were filed, all answers were forgotten");
}

/// Phones come in crowds, and dashboards ask about referrals meanwhile. (Another connection's look at the file may come in
/// between here too.)
#[actix_web::test]
async fn a_scan_forgets_answers_about_scans_and_not_about_referrals() {
    let app = TestApp::start(Database::sqlite()).await;
    let (scans, referrals) = ("/api/v1/impressions?limit=1000", "/api/v1/referrals");
    app.a_referral().await;
    let poster = app.a_poster().await;
    let code = format!("/q/{}", poster["code"].as_str().expect("a code"));
    for _ in 0..20 {
        given_again(&app, scans).await;
        given_again(&app, referrals).await;
        let sent_on = app.nobody().get(&code).await;
        let given = app.app.answers.given();
        app.get(referrals).await.ok();
        let is_given_again = app.app.answers.given() > given;
        let to = sent_on.header("location").expect("a place");
        let (_, id) = to.split_once("impression_id=").expect("an id");
        let page = app.get(scans).await;
        assert!(page.text().contains(id), "the scan is there");
        if is_given_again {
            app.stop().await;
            return;
        }
    }
    panic!("every scan forgot what was answered about referrals");
}
