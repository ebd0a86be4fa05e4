//! Many requests at the same moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use handbill::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Answer, Database, TestApp, a_signup, on_both};

fn by_status(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

on_both! {
    async fn fifty_posts_with_one_key_make_one_referral(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut body = a_signup(&scan);
        body["idempotency_key"] = json!("signup_1");
        let answers = join_all((0..50).map(|_| app.post("/api/v1/referrals", body.clone()))).await;
        let first = answers[0].ok();
        assert!(answers.iter().all(|answer| answer.ok() == first), "all answers are equal");
        assert_eq!(answers.iter().filter(|answer| !answer.is_replay()).count(), 1, "one of them made it");
        assert_eq!(app.all("referrals").await, vec![first]);
    }

    async fn fifty_posts_with_one_key_make_one_earning(app: &TestApp) {
        let referral = app.a_referral().await;
        let body = json!({ "referral_id": referral["id"], "amount": 550, "idempotency_key": "order_771" });
        let answers = join_all((0..50).map(|_| app.post("/api/v1/earnings", body.clone()))).await;
        let first = answers[0].ok();
        assert!(answers.iter().all(|answer| answer.ok() == first));
        assert_eq!(app.all("earnings").await, vec![first]);
    }

    async fn one_key_for_two_people_makes_one_of_them(app: &TestApp) {
        let scan = app.a_scan().await;
        let posts = (0..40).map(|n| {
            let mut body = a_signup(&scan);
            body["idempotency_key"] = json!("signup_2");
            body["email"] = json!(format!("person{}@example.com", n % 2));
            app.post("/api/v1/referrals", body)
        });
        let answers = join_all(posts).await;
        assert_eq!(by_status(&answers), BTreeMap::from([(200, 20), (409, 20)]));
        assert_eq!(app.all("referrals").await.len(), 1);
    }

    async fn one_address_asked_for_at_once_is_one_customers(app: &TestApp) {
        for round in 0..5 {
            let posts = (0..20).map(|n| {
                let body = json!({ "email": format!("person{round}@example.com"), "name": format!("Person {n}") });
                app.post("/api/v1/customers", body)
            });
            let answers = join_all(posts).await;
            assert_eq!(by_status(&answers), BTreeMap::from([(200, 1), (409, 19)]));
            for refused in answers.iter().filter(|answer| answer.status == 409) {
                assert_eq!(refused.json()["code"], "email_taken");
            }
        }
        assert_eq!(app.all("customers").await.len(), 5);
    }

    async fn of_conflicting_decisions_one_wins(app: &TestApp) {
        for _ in 0..5 {
            let earning = app.an_earning().await;
            let path = format!("/api/v1/earnings/{}", earning["id"].as_str().expect("an id"));
            app.put(&path, json!({ "status": "processing" })).await.ok();
            let outcomes = ["paid", "failed"];
            let puts = (0..50).map(|n| app.put(&path, json!({ "status": outcomes[n % 2] })));
            let answers = join_all(puts).await;
            assert_eq!(by_status(&answers), BTreeMap::from([(200, 25), (409, 25)]), "winners and their repeats, losers");
            let now = app.get(&path).await.ok();
            let history = app.get(&format!("{path}/history")).await.ok();
            let moves = history["history"].as_array().expect("moves");
            assert_eq!(moves.len(), 2, "{history}");
            assert_eq!(moves[1]["to"], now["status"]);
        }
    }

    async fn a_storm_of_decisions_leaves_an_unbroken_history(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        let statuses = ["converted", "verified", "rejected", "pending"];
        let answers = join_all((0..120).map(|n| app.put(&path, json!({ "status": statuses[n % 4] })))).await;
        assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)), "{:?}", by_status(&answers));
        let history = app.get(&format!("{path}/history")).await.ok();
        let mut stands = json!("pending");
        for step in history["history"].as_array().expect("moves") {
            assert_eq!(step["from"], stands, "{history}");
            stands = step["to"].clone();
        }
        assert_eq!(app.get(&path).await.ok()["status"], stands);
    }

    async fn metadata_written_at_once_is_all_kept(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        let puts = (0..40).map(|n| app.put(&path, json!({ "metadata": { format!("key{n}"): n } })));
        for answer in join_all(puts).await {
            answer.ok();
        }
        let kept = app.get(&path).await.ok()["metadata"].as_object().expect("an object").len();
        assert_eq!(kept, 41, "the forty and the one it began with");
    }

    async fn an_earning_waits_for_a_rejection_that_is_under_way(app: &TestApp) {
        let referral = app.a_referral().await;
        let mut other = app.database.connect();
        let begin = if app.database.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN" };
        other.batch_execute(begin).expect("a transaction");
        other.batch_execute("UPDATE referrals SET status = 'rejected'").expect("a rejection");
        let earn = json!({ "referral_id": referral["id"], "amount": 1 });
        let commit = async {
            actix_web::rt::time::sleep(Duration::from_millis(300)).await;
            other.batch_execute("COMMIT").expect("committed");
        };
        let (earned, ()) = futures_util::future::join(app.post("/api/v1/earnings", earn), commit).await;
        assert_eq!(earned.refused_with(409)["code"], "referral_rejected");
        assert!(app.all("earnings").await.is_empty());
    }

    async fn a_failing_write_fails_alone(app: &TestApp) {
        let scan = app.a_scan().await;
        let posts = (0..100).map(|n| {
            let mut body = a_signup(&scan);
            if n % 5 == 0 {
                body["impression_id"] = json!("imp_unknown");
            }
            app.post("/api/v1/referrals", body)
        });
        let answers = join_all(posts).await;
        assert_eq!(by_status(&answers), BTreeMap::from([(200, 80), (400, 20)]));
        let mut answered: Vec<Value> = answers.iter().filter(|a| a.status == 200).map(|a| a.json()["id"].clone()).collect();
        let mut stored: Vec<Value> = app.all("referrals").await.iter().map(|r| r["id"].clone()).collect();
        answered.sort_by_key(Value::to_string);
        stored.sort_by_key(Value::to_string);
        assert_eq!(answered, stored, "what was answered is stored, and nothing else");
    }
}

/// Follows a list by cursor until it has seen `wanted` rows, or has waited long enough for what is missing.
async fn follow(app: &TestApp, wanted: usize, done: &AtomicBool) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    let mut patience = 100;
    while seen.len() < wanted && patience > 0 {
        let after = seen.last().and_then(Value::as_str).unwrap_or("ref_0");
        let path = format!("/api/v1/referrals?limit=100&after={after}");
        let page = app.get(&path).await.ok();
        let rows = page["referrals"].as_array().expect("an array");
        seen.extend(rows.iter().map(|row| row["id"].clone()));
        if done.load(Ordering::SeqCst) {
            patience -= 1;
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
    seen
}

#[actix_web::test]
async fn a_walk_by_cursor_misses_nothing_while_rows_are_being_added() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &[], Clock::System).await;
        let scan = app.a_scan().await;
        let done = AtomicBool::new(false);
        let write = async {
            let writers = (0..8).map(async |_| {
                let mut made = Vec::new();
                for _ in 0..100 {
                    made.push(app.a_referral_from(&scan).await["id"].clone());
                }
                made
            });
            let made = join_all(writers).await.concat();
            done.store(true, Ordering::SeqCst);
            made
        };
        let (mut made, seen) = futures_util::future::join(write, follow(&app, 800, &done)).await;
        made.sort_by_key(Value::to_string);
        assert_eq!(seen.len(), 800, "none is missing and none came twice");
        assert_eq!(seen, made, "in the order of their ids");
        app.stop().await;
    }
}
