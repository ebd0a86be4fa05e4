//! What is kept of webhooks, for how long, and how: deliveries, events, secrets; and whom a receiver is taken for.

use handbill::clock::Clock;
use handbill::webhooks::dispatch::deliver_due;
use handbill::worker::tidy;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::receiver::{Receiver, say};
use crate::support::tls::Authority;
use crate::support::{Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, on_both};

pub const PATH: &str = "/api/v1/webhook-endpoints";
pub const DAY: i64 = 86_400;
pub const ONE_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub const BOTH_KEYS: &str =
    "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=,AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub async fn an_endpoint(app: &TestApp, url: &str) -> Value {
    app.post(PATH, json!({ "url": url })).await.ok()
}

pub async fn deliver(app: &TestApp) {
    deliver_due(&app.app).await.expect("a round");
}

pub async fn order(app: &TestApp, endpoint: &Value, what: &str) -> Value {
    let path = format!("{PATH}/{}{what}", endpoint["id"].as_str().expect("an id"));
    app.send(Method::POST, &path, &[], None::<String>)
        .await
        .ok()
}

pub async fn deliveries(app: &TestApp, endpoint: &Value) -> Vec<Value> {
    let path = format!(
        "{PATH}/{}/deliveries",
        endpoint["id"].as_str().expect("an id")
    );
    app.get(&path).await.ok()["deliveries"]
        .as_array()
        .expect("deliveries")
        .clone()
}

pub async fn sequences(app: &TestApp) -> Vec<i64> {
    let page = app.get("/api/v1/events?limit=1000").await.ok();
    let events = page["events"].as_array().expect("events").iter();
    events
        .map(|event| event["sequence"].as_i64().expect("a number"))
        .collect()
}

pub fn settings(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&WEBHOOKS_TO_THIS_MACHINE[..], more].concat()
}

pub fn secret_of(app: &TestApp) -> String {
    kept_in(app, "secret")
}

/// What the one endpoint has in this column.
pub fn kept_in(app: &TestApp, column: &str) -> String {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Kept {
        #[diesel(sql_type = diesel::sql_types::Text)]
        secret: String,
    }
    let kept = format!("SELECT {column} AS secret FROM webhook_endpoints");
    let kept = diesel::sql_query(kept);
    let kept: Kept = kept.get_result(&mut app.database.connect()).expect("a row");
    kept.secret
}

#[actix_web::test]
async fn deliveries_are_forgotten_after_their_days_and_what_waits_stays() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_with(database, &WEBHOOKS_TO_THIS_MACHINE).await;
        let receiver = Receiver::start(|number, _| if number == 7 { say(500) } else { say(200) });
        let endpoint = an_endpoint(&app, &receiver.url).await;
        app.a_poster().await;
        app.a_poster().await;
        deliver(&app).await;
        app.post(
            &format!("{PATH}/{}:replay", endpoint["id"].as_str().expect("an id")),
            json!({ "from": "2024-01-01T00:00:00Z" }),
        )
        .await
        .ok();
        deliver(&app).await;
        app.put(
            &format!("{PATH}/{}", endpoint["id"].as_str().expect("an id")),
            json!({ "enabled": false }),
        )
        .await
        .ok();
        let before = deliveries(&app, &endpoint).await;
        assert!(
            before
                .iter()
                .any(|delivery| delivery["status"] == "pending"),
            "{before:?}"
        );
        app.wait(29 * DAY);
        assert_eq!(tidy(&app.app).await.expect("done"), (0, 0));
        app.wait(2 * DAY);
        let gone = tidy(&app.app).await.expect("done").0;
        let left = deliveries(&app, &endpoint).await;
        assert_eq!((gone, left.len()), (before.len() - 1, 1));
        assert_eq!(left[0]["status"], "pending");
        app.stop().await;
    }
}

#[actix_web::test]
async fn events_are_forgotten_after_their_days_as_far_as_every_enabled_endpoint_has_them() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_with(
            database,
            &settings(&[("HANDBILL_EVENT_RETENTION_DAYS", "10")]),
        )
        .await;
        let receiver = Receiver::friendly();
        let endpoint = an_endpoint(&app, &receiver.url).await;
        let failing = an_endpoint(&app, "http://127.0.0.1:9/").await;
        for _ in 0..3 {
            app.wait(1);
            app.a_poster().await;
        }
        deliver(&app).await;
        let all = sequences(&app).await;
        app.wait(20 * DAY);
        assert_eq!(
            tidy(&app.app).await.expect("done").1,
            0,
            "one endpoint has got none of them"
        );
        app.put(
            &format!("{PATH}/{}", failing["id"].as_str().expect("an id")),
            json!({ "enabled": false }),
        )
        .await
        .ok();
        let last =
            app.get("/api/v1/events?order=desc&limit=1").await.ok()["events"][0]["id"].clone();
        tidy(&app.app).await.expect("done");
        assert_eq!(
            sequences(&app).await,
            all[all.len() - 1..],
            "the last stays: it says where to go on"
        );
        app.wait(1);
        app.a_poster().await;
        let path = format!("/api/v1/events?after={}", last.as_str().expect("an id"));
        let next = app.get(&path).await.ok();
        assert_eq!(
            next["events"][0]["sequence"],
            json!(all.len() + 1),
            "without a gap"
        );
        deliver(&app).await;
        assert_eq!(
            receiver.received().last().expect("a webhook").json()["id"],
            app.get("/api/v1/events?order=desc&limit=1").await.ok()["events"][0]["id"]
        );
        // What is gone cannot be replayed; the rest can.
        let replay = format!("{PATH}/{}:replay", endpoint["id"].as_str().expect("an id"));
        app.post(&replay, json!({ "from": "2024-01-01T00:00:00Z" }))
            .await
            .ok();
        let before = receiver.received().len();
        deliver(&app).await;
        assert_eq!(
            receiver.received().len() - before,
            sequences(&app).await.len()
        );
        app.stop().await;
    }
}

on_both! {
    async fn an_account_has_a_hundred_endpoints_at_most(app: &TestApp) {
        let made = json!({ "url": "https://example.com/", "idempotency_key": "first" });
        let first = app.post(PATH, made.clone()).await.ok();
        for _ in 1..100 {
            an_endpoint(app, "https://example.com/").await;
        }
        let full = app.post(PATH, json!({ "url": "https://example.com/" })).await;
        full.refused(409, "There are 100 webhook endpoints, which is the most; delete one first");
        assert!(app.post(PATH, made).await.is_replay(), "a retry makes none");
        let path = format!("{PATH}/{}", first["id"].as_str().expect("an id"));
        app.send(Method::DELETE, &path, &[], None::<String>).await;
        an_endpoint(app, "https://example.com/").await;
    }
}

#[actix_web::test]
async fn a_receiver_with_tls_gets_webhooks_if_somebody_trusted_has_signed_for_its_name() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let file = ours.file();
    let file: &'static str = Box::leak(file.to_str().expect("text").to_owned().into_boxed_str());
    for database in [Database::sqlite(), Database::postgres()] {
        let settings = settings(&[("HANDBILL_WEBHOOKS_CA_FILE", file)]);
        let app = TestApp::start_at(database, &settings, Clock::System).await;
        let receiver = ours.receiver_for("localhost").await;
        let url = format!("https://localhost:{}/hook", receiver.address.port());
        let told = order(&app, &an_endpoint(&app, &url).await, ":test").await;
        assert_eq!(
            (&told["delivered"], &told["status"]),
            (&json!(true), &json!(204)),
            "{told}"
        );
        assert!(receiver.received()[0].contains("webhook.test"));
        for (receiver, host, why) in [
            (
                theirs.receiver_for("localhost").await,
                "localhost",
                "UnknownIssuer",
            ),
            (
                ours.receiver_for("elsewhere.example").await,
                "localhost",
                "not valid for name",
            ),
        ] {
            let url = format!("https://{host}:{}/hook", receiver.address.port());
            let told = order(&app, &an_endpoint(&app, &url).await, ":test").await;
            let error = told["error"].as_str().expect("an error");
            assert!(
                error.starts_with("no connection: ") && error.contains(why),
                "{error}"
            );
            assert_eq!(
                (&told["delivered"], receiver.received().len()),
                (&json!(false), 0)
            );
        }
        app.stop().await;
    }
}
