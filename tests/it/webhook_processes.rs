//! Processes that send webhooks: one that is told to stop, and two at once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::time::sleep;

use crate::killed_webhooks::{Client, an_endpoint, due};
use crate::support::crowd::Crowd;
use crate::support::process::Process;
use crate::support::{Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, a_signup, client};

/// A receiver is slow when the server is told to stop: what was sent is written down, and not sent again.
#[actix_web::test]
async fn a_webhook_that_is_on_its_way_is_finished_when_the_server_is_told_to_stop() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &[], handbill::clock::Clock::System).await;
        let scan = app.a_scan().await;
        let key = app.caller.key.clone().expect("a key");
        let client = Client {
            http: self::client().build().expect("a client"),
            key: &key,
        };
        let crowd = Crowd::start();
        let server = Process::start_with(&app.database, &WEBHOOKS_TO_THIS_MACHINE);
        let endpoint = an_endpoint(&client, &server.base, &crowd, "/slow/1".to_owned()).await;
        for _ in 0..20 {
            let signup = a_signup(&scan);
            let made = client.send(&server.base, Method::POST, "referrals", signup);
            made.await.expect("a referral");
        }
        while crowd.count("/slow/1") < 3 {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(server.stop(), "a clean end");
        let sent = crowd.count("/slow/1");
        assert!(sent < 20, "{sent}");
        let path = format!("/api/v1/webhook-endpoints/{}", endpoint.id);
        let reached = app.get(&path).await.ok()["reached"]
            .as_i64()
            .expect("a number");
        let done = usize::try_from(reached - endpoint.reached).expect("a count");
        assert_eq!(done, sent, "all that was sent is written down");
        let server = Process::start_with(&app.database, &WEBHOOKS_TO_THIS_MACHINE);
        while crowd.count("/slow/1") < 20 {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(server.stop());
        let came = crowd.arrived("/slow/1");
        let ids: HashSet<&String> = came.iter().map(|(id, _)| id).collect();
        assert_eq!((came.len(), ids.len()), (20, 20), "each once");
        app.stop().await;
    }
}

#[actix_web::test]
async fn two_servers_share_the_endpoints_and_deliver_each_event_once() {
    let app = TestApp::start_at(Database::postgres(), &[], handbill::clock::Clock::System).await;
    let scan = app.a_scan().await;
    let key = app.caller.key.clone().expect("a key");
    let client = Client {
        http: self::client().build().expect("a client"),
        key: &key,
    };
    let crowd = Crowd::start();
    let servers =
        [(); 2].map(|()| Process::start_with(&app.database.shared(), &WEBHOOKS_TO_THIS_MACHINE));
    let mut endpoints = Vec::new();
    for n in 0..20 {
        let base = &servers[n % 2].base;
        endpoints.push(an_endpoint(&client, base, &crowd, format!("/well/{n}")).await);
    }
    for n in 0..100 {
        let base = &servers[n % 2].base;
        client
            .send(base, Method::POST, "referrals", a_signup(&scan))
            .await
            .expect("a referral");
    }
    let events = client.feed(&servers[0].base).await;
    let began = Instant::now();
    while endpoints
        .iter()
        .any(|endpoint| crowd.count(&endpoint.path) < due(endpoint, &events).len())
    {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "not everything arrives"
        );
        sleep(Duration::from_millis(50)).await;
    }
    for endpoint in &endpoints {
        let came: Vec<String> = crowd
            .arrived(&endpoint.path)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        assert_eq!(came, due(endpoint, &events), "each once, in order");
    }
    for server in servers {
        assert!(server.stop());
    }
    app.stop().await;
}
