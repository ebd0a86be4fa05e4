//! Answers are given again as long as nothing was written. Nobody can tell but by the time it takes.

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use handbill::db::DbConnection;
use serde_json::{Value, json};

use crate::support::{TestApp, a_signup, on_both};

/// How many answers the server gave again while `path` was asked for so many times; the last of them.
async fn asked(app: &TestApp, path: &str, times: usize) -> (u64, Value) {
    let before = app.app.answers.given();
    let mut last = Value::Null;
    for _ in 0..times {
        last = app.get(path).await.ok();
    }
    (app.app.answers.given() - before, last)
}

on_both! {
    async fn a_list_that_is_asked_for_again_is_given_again_until_something_is_written(app: &TestApp) {
        let scan = app.a_scan().await;
        app.a_referral_from(&scan).await;
        let (given, page) = asked(app, "/api/v1/referrals?limit=50", 12).await;
        assert!(given >= 8, "given again {given} times");
        assert_eq!(page["referrals"].as_array().expect("referrals").len(), 1);

        let second = app.a_referral_from(&scan).await;
        let (_, page) = asked(app, "/api/v1/referrals?limit=50", 1).await;
        assert_eq!(page["referrals"][1]["id"], second["id"]);
        assert_eq!(page["referrals"].as_array().expect("referrals").len(), 2);
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
        asked(app, path, 6).await;
        let before = app.app.answers.given();
        let again = app.get(path).await;
        assert_eq!(app.app.answers.given(), before + 1);
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
        let (given, _) = asked(app, "/api/v1/referrals", 8).await;
        assert!(given > 0);
        let theirs = stranger.get("/api/v1/referrals").await.ok();
        assert_eq!(theirs["referrals"], json!([]));
        app.nobody().get("/api/v1/referrals").await.refused_with(401);
    }

    async fn what_another_process_writes_is_seen_within_a_second(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        asked(app, &path, 8).await;
        asked(app, "/api/v1/referrals", 8).await;
        let mut other = DbConnection::open(&app.database.url).expect("the database");
        other.batch_execute("UPDATE referrals SET first_name = 'Ann'").expect("an update");
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        assert_eq!(app.get(&path).await.ok()["first_name"], "Ann");
        let page = app.get("/api/v1/referrals").await.ok();
        assert_eq!(page["referrals"][0]["first_name"], "Ann");
    }
}
