//! The feed: everything that happened, in one order, nothing missed, nothing twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use handbill::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Database, TestApp, a_signup, on_both};

async fn events(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app
        .get(&format!("/api/v1/events?limit=1000{query}"))
        .await
        .ok();
    page["events"].as_array().expect("a list").clone()
}

fn types(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().expect("a type"))
        .collect()
}

fn path_of(referral: &Value) -> String {
    format!(
        "/api/v1/referrals/{}",
        referral["id"].as_str().expect("an id")
    )
}

on_both! {
    async fn a_signups_life_is_told_with_the_whole_object_each_time(app: &TestApp) {
        let referral = app.a_referral().await;
        let mut seen = vec![referral.clone()];
        for (status, kind, previous) in [
            ("verified", "referral.verified", "pending"), ("converted", "referral.converted", "verified"),
            ("rejected", "referral.rejected", "converted"), ("pending", "referral.reopened", "rejected"),
        ] {
            app.wait(1);
            let now = app.put(&path_of(&referral), json!({ "status": status })).await.ok();
            let event = app.get("/api/v1/events?order=desc&limit=1").await.ok()["events"][0].clone();
            assert_eq!(event, json!({
                "id": event["id"], "type": kind, "sequence": event["sequence"], "object_id": referral["id"],
                "previous_status": previous, "created_at": now["updated_at"], "data": now,
            }));
            let id = event["id"].as_str().expect("an id");
            assert_eq!(app.get(&format!("/api/v1/events/{id}")).await.ok(), event);
            seen.push(now);
        }
        app.put(&path_of(&referral), json!({ "first_name": "Jane" })).await.ok();
        let told = events(app, "&types=referral.*").await;
        assert_eq!(types(&told), [
            "referral.created", "referral.verified", "referral.converted", "referral.rejected", "referral.reopened",
            "referral.updated",
        ]);
        assert_eq!((&told[0]["data"], &told[0]["previous_status"]), (&seen[0], &json!(null)));
    }

    async fn what_changes_nothing_is_no_event(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut signup = a_signup(&scan);
        signup["idempotency_key"] = json!("signup_1");
        let referral = app.post("/api/v1/referrals", signup.clone()).await.ok();
        app.post("/api/v1/referrals", signup).await.ok();
        app.put(&path_of(&referral), json!({ "status": "pending", "first_name": "John" })).await.ok();
        app.put(&path_of(&referral), json!({})).await.ok();
        app.put(&path_of(&referral), json!({ "status": "lost" })).await.refused_with(400);
        let earning = json!({ "referral_id": referral["id"], "amount": 550, "idempotency_key": "order_1" });
        app.post("/api/v1/earnings", earning.clone()).await.ok();
        app.post("/api/v1/earnings", earning).await.ok();
        assert_eq!(types(&events(app, "").await), ["program.created", "user.created", "poster.created", "referral.created", "earning.created"]);
    }

    async fn programs_people_and_posters_are_told_when_they_change(app: &TestApp) {
        let poster = app.a_poster().await;
        let (program, user) = (app.all("programs").await.remove(0), app.all("users").await.remove(0));
        let made = events(app, "").await;
        assert_eq!(types(&made), ["program.created", "user.created", "poster.created"]);
        assert_eq!([&made[0]["data"], &made[1]["data"], &made[2]["data"]], [&program, &user, &poster]);
        for (list, object, change, kind, previous) in [
            ("programs", &program, json!({ "status": "paused" }), "program.updated", json!("active")),
            ("programs", &program, json!({ "name": "Autumn" }), "program.updated", json!(null)),
            ("users", &user, json!({ "metadata": { "major": "Biology" } }), "user.updated", json!(null)),
            ("posters", &poster, json!({ "status": "retired" }), "poster.updated", json!("active")),
            ("posters", &poster, json!({ "location": "Gym" }), "poster.updated", json!(null)),
        ] {
            app.wait(1);
            let before = events(app, "").await.len();
            let path = format!("/api/v1/{list}/{}", object["id"].as_str().expect("an id"));
            let now = app.put(&path, change.clone()).await.ok();
            app.put(&path, change).await.ok();
            let told = events(app, "").await.split_off(before);
            assert_eq!(types(&told), [kind], "once: saying the same again changes nothing");
            assert_eq!((&told[0]["data"], &told[0]["previous_status"]), (&now, &previous));
        }
    }

    async fn a_rate_that_is_published_as_a_rule_is_told_of_the_program(app: &TestApp) {
        let program = app.a_program().await;
        let path = format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"));
        let rule = json!({ "rule": { "commission": { "type": "percent", "basis_points": 1200 } } });
        app.post(&format!("{path}/rules"), rule).await.ok();
        let told = events(app, "").await;
        assert_eq!(types(&told), ["program.created", "program.updated"]);
        assert_eq!(told[1]["data"], app.get(&path).await.ok());
        app.put(&path, json!({ "commission_rate": 15 })).await.ok();
        assert_eq!(types(&events(app, "").await[2..]), ["program.updated"]);
    }

    async fn money_is_told_in_the_order_of_cause_and_effect(app: &TestApp) {
        let referral = app.a_referral().await;
        let start = events(app, "").await.len();
        let order = json!({ "referral_id": referral["id"], "order_id": "order_1", "amount": 5500 });
        app.wait(1);
        app.post("/api/v1/refunds", json!({ "order_id": "order_1", "amount": 55, "idempotency_key": "n0" })).await.ok();
        app.wait(1);
        app.post("/api/v1/conversions", order).await.ok();
        app.wait(1);
        app.put(&path_of(&referral), json!({ "status": "verified" })).await.ok();
        app.wait(1);
        app.post("/api/v1/payouts:collect", json!({ "program_id": referral["program_id"] })).await.ok();
        app.wait(1);
        let payout = app.all("payouts").await.remove(0);
        let path = format!("/api/v1/payouts/{}", payout["id"].as_str().expect("an id"));
        let paid = app.put(&path, json!({ "status": "paid" })).await.ok();
        let told = events(app, "").await.split_off(start);
        assert_eq!(types(&told), [
            "refund.created", "conversion.created", "referral.converted", "earning.created", "refund.applied",
            "referral.verified", "payout.created", "earning.status_changed", "payout.paid", "earning.status_changed",
        ]);
        assert_eq!(told[8]["data"], paid);
        assert_eq!((&told[9]["previous_status"], &told[9]["data"]["status"]), (&json!("processing"), &json!("paid")));
        let sequences: Vec<i64> = told.iter().map(|event| event["sequence"].as_i64().expect("a number")).collect();
        let first = sequences[0];
        assert_eq!(sequences, (first..first + 10).collect::<Vec<_>>());
    }

    async fn the_feed_is_walked_by_the_last_id_and_by_types(app: &TestApp) {
        let scan = app.a_scan().await;
        for _ in 0..7 {
            app.wait(1);
            app.a_referral_from(&scan).await;
        }
        let all = events(app, "").await;
        let mut walked = Vec::new();
        let mut after = String::new();
        loop {
            let page = app.get(&format!("/api/v1/events?limit=3{after}")).await.ok();
            let some = page["events"].as_array().expect("a list");
            walked.extend(some.clone());
            assert_eq!(page["has_more"], json!(walked.len() < all.len()));
            if some.is_empty() || page["has_more"] == json!(false) {
                break;
            }
            after = format!("&after={}", some[some.len() - 1]["id"].as_str().expect("an id"));
        }
        assert_eq!(walked, all);
        assert_eq!(events(app, "&types=poster.created,payout.*").await.len(), 1);
        for (query, code) in [
            ("types=referral.lost", "unknown_value"), ("wait=26", "invalid_wait"), ("wait=x", "invalid_wait"),
            ("after=evt_unknown", "unknown_id"), ("limit=0", "invalid_limit"),
        ] {
            let refused = app.get(&format!("/api/v1/events?{query}")).await.refused_with(400);
            assert_eq!(refused["errors"][0]["code"], code, "{query}");
        }
        let stranger = app.stranger().await;
        assert_eq!(stranger.get("/api/v1/events").await.ok()["events"], json!([]));
        let id = all[0]["id"].as_str().expect("an id");
        stranger.get(&format!("/api/v1/events/{id}")).await.refused(404, "Event not found");
        stranger.get(&format!("/api/v1/events?after={id}")).await.refused_with(400);
        stranger.a_poster().await;
        assert_eq!(stranger.get("/api/v1/events").await.ok()["events"][0]["sequence"], 1, "each account counts for itself");
    }

    async fn whoever_waits_is_answered_when_something_happens(app: &TestApp) {
        let scan = app.a_scan().await;
        let last = events(app, "").await.pop().expect("an event");
        let path = format!("/api/v1/events?wait=20&after={}", last["id"].as_str().expect("an id"));
        let begun = Instant::now();
        let (told, ()) = tokio::join!(app.get(&path), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            app.wait(1);
            app.a_referral_from(&scan).await;
        });
        assert_eq!(told.ok()["events"][0]["type"], "referral.created");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        let nothing = app.get(&path.replace("wait=20", "types=payout.paid&wait=1")).await.ok();
        assert_eq!((&nothing["events"], &nothing["has_more"]), (&json!([]), &json!(false)));
    }
}

/// Many writers, whose transactions commit in any order, and a reader who follows: what it has seen is all there is,
/// once, in the order that everybody sees.
#[actix_web::test]
async fn a_reader_who_follows_misses_nothing_while_many_write() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &[], Clock::System).await;
        let scan = app.a_scan().await;
        let done = AtomicBool::new(false);
        let write = async {
            let work = (0..8).map(|writer| {
                let (app, scan) = (&app, &scan);
                async move {
                    for _ in 0..15 {
                        let referral = app.a_referral_from(scan).await;
                        let status = if writer % 2 == 0 {
                            "verified"
                        } else {
                            "rejected"
                        };
                        app.put(&path_of(&referral), json!({ "status": status }))
                            .await
                            .ok();
                    }
                }
            });
            join_all(work).await;
            done.store(true, Ordering::Release);
        };
        let follow = async {
            let mut seen: Vec<Value> = Vec::new();
            loop {
                let was_done = done.load(Ordering::Acquire);
                let after = seen.last().map_or(String::new(), |event| {
                    format!("&after={}", event["id"].as_str().expect("an id"))
                });
                let page = app
                    .get(&format!("/api/v1/events?limit=7{after}"))
                    .await
                    .ok();
                let some = page["events"].as_array().expect("a list").clone();
                if some.is_empty() && was_done {
                    return seen;
                }
                seen.extend(some);
            }
        };
        let ((), seen) = tokio::join!(write, follow);
        let sequences: Vec<i64> = seen
            .iter()
            .map(|event| event["sequence"].as_i64().expect("a number"))
            .collect();
        let count = i64::try_from(sequences.len()).expect("a count");
        assert_eq!(
            sequences,
            (1..=count).collect::<Vec<_>>(),
            "in order, without a gap"
        );
        assert_eq!(count, 3 + 2 * 8 * 15);
        let of_type = |kind: &str| {
            let of_type = seen.iter().filter(|event| event["type"] == kind);
            of_type
                .map(|event| event["object_id"].to_string())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(of_type("referral.created").len(), 120);
        let decided: BTreeSet<_> = of_type("referral.verified")
            .union(&of_type("referral.rejected"))
            .cloned()
            .collect();
        assert_eq!(decided, of_type("referral.created"));
        assert_eq!(
            events(&app, "").await,
            seen,
            "everybody sees the same order"
        );
        app.stop().await;
    }
}

#[actix_web::test]
async fn scans_are_events_only_if_the_setting_says_so() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_with(database, &[("HANDBILL_IMPRESSION_EVENTS", "on")]).await;
        let scan = app.a_scan().await;
        let poster = app.all("posters").await.remove(0);
        let url = poster["code"].as_str().expect("a code").to_owned();
        app.nobody().get(&format!("/q/{url}")).await;
        let told = events(&app, "&types=impression.created").await;
        assert_eq!((told.len(), &told[0]["data"]), (2, &scan));
        app.stop().await;
    }
}
