//! A server that is killed again and again while receivers fail, hang, die and come back: every event is in the feed
//! once, and arrives at least once, under its id and in order.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::crowd::Crowd;
use crate::support::process::Process;
use crate::support::{Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, a_signup, client, number};

/// How long whoever writes rests: every event goes to dozens of endpoints.
pub const PAUSE: Duration = Duration::from_millis(25);
/// How many endpoints there are at most.
pub const ENDPOINTS: usize = 24;

/// Somebody with a key, who may find nobody at home.
pub struct Client<'a> {
    pub http: reqwest::Client,
    pub key: &'a str,
}

impl Client<'_> {
    /// The answer, if there was one that is not a 503.
    pub async fn send(&self, base: &str, method: Method, path: &str, body: Value) -> Option<Value> {
        let request = self.http.request(method, format!("{base}/api/v1/{path}"));
        let answer = request
            .bearer_auth(self.key)
            .json(&body)
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        let body = answer.json().await.ok()?;
        assert!(matches!(status, 200 | 503), "{status} {body}");
        (status == 200).then_some(body)
    }

    /// The whole feed.
    pub async fn feed(&self, base: &str) -> Vec<Value> {
        let mut events = Vec::<Value>::new();
        loop {
            let after = events.last().and_then(|last| last["id"].as_str());
            let after = after.map_or_else(String::new, |id| format!("&after={id}"));
            let path = format!("events?limit=1000{after}");
            let page = self
                .send(base, Method::GET, &path, json!({}))
                .await
                .expect("a page");
            events.extend(page["events"].as_array().expect("events").iter().cloned());
            if page["has_more"] == false {
                return events;
            }
        }
    }
}

/// Signs people up, and verifies each, until nobody answers any more.
pub async fn write(
    client: &Client<'_>,
    base: &str,
    scan: &Value,
    acknowledged: &Mutex<Vec<(Value, &str)>>,
) {
    let note = |id: &Value, kind| {
        acknowledged
            .lock()
            .expect("the list")
            .push((id.clone(), kind));
    };
    loop {
        let signup = client
            .send(base, Method::POST, "referrals", a_signup(scan))
            .await;
        let Some(referral) = signup else { return };
        note(&referral["id"], "referral.created");
        let path = format!("referrals/{}", referral["id"].as_str().expect("an id"));
        let verified = client
            .send(base, Method::PUT, &path, json!({ "status": "verified" }))
            .await;
        if verified.is_none() {
            return;
        }
        note(&referral["id"], "referral.verified");
        sleep(PAUSE).await;
    }
}

/// An endpoint: its id, its path at the crowd, and the last event before it.
pub struct Endpoint {
    pub id: String,
    pub path: String,
    pub reached: i64,
}

pub async fn an_endpoint(client: &Client<'_>, base: &str, crowd: &Crowd, path: String) -> Endpoint {
    let body = json!({ "url": crowd.url(&path) });
    let made = client
        .send(base, Method::POST, "webhook-endpoints", body)
        .await;
    let made = made.expect("an endpoint");
    Endpoint {
        id: made["id"].as_str().expect("an id").to_owned(),
        path,
        reached: made["reached"].as_i64().expect("a number"),
    }
}

/// What came first of each event, in the order in which it came.
pub fn first_arrivals(crowd: &Crowd, path: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let arrived = crowd.arrived(path).into_iter().map(|(id, _)| id);
    arrived.filter(|id| seen.insert(id.clone())).collect()
}

async fn kill_again_and_again(database: Database, kills: usize) {
    let app = TestApp::start_at(database, &[], handbill::clock::Clock::System).await;
    let scan = app.a_scan().await;
    let key = app.caller.key.clone().expect("a key");
    let client = Client {
        http: self::client().build().expect("a client"),
        key: &key,
    };
    let (mut crowd, mut endpoints) = (Crowd::start(), Vec::new());
    let acknowledged = Mutex::new(Vec::new());
    for cycle in 0..kills {
        let server = Process::start_with(&app.database, &WEBHOOKS_TO_THIS_MACHINE);
        match cycle % 4 {
            2 => crowd.die().await,
            3 => crowd.come_back(),
            _ => {}
        }
        // The leases of who is killed last ten seconds, so there is always somebody new to deliver to.
        if endpoints.len() < ENDPOINTS {
            for kind in ["well", "moody"] {
                let path = format!("/{kind}/{cycle}");
                endpoints.push(an_endpoint(&client, &server.base, &crowd, path).await);
            }
        }
        let load = join_all((0..3).map(|_| write(&client, &server.base, &scan, &acknowledged)));
        let moment = Duration::from_millis(300 + cycle as u64 * 137 % 900);
        let _ = tokio::time::timeout(moment, load).await;
        server.kill();
    }
    if crowd.is_dead() {
        crowd.come_back();
    }
    crowd.calm_down();
    let server = Process::start_with(&app.database, &WEBHOOKS_TO_THIS_MACHINE);
    let events = client.feed(&server.base).await;
    the_feed_is_whole(
        &client,
        &server.base,
        &events,
        acknowledged.into_inner().expect("the list"),
    )
    .await;
    until_all_arrive(&client, &server.base, &crowd, &endpoints, &events).await;
    let (mut came, mut again) = (0, 0);
    for endpoint in &endpoints {
        assert_eq!(
            first_arrivals(&crowd, &endpoint.path),
            due(endpoint, &events),
            "{}: all, in order",
            endpoint.path
        );
        came += crowd.count(&endpoint.path);
        again += crowd.count(&endpoint.path) - due(endpoint, &events).len();
    }
    let _ = writeln!(
        std::io::stdout(),
        "{kills} kills: {} events, {} endpoints, {came} came, {again} of them again",
        events.len(),
        endpoints.len()
    );
    server.kill();
    app.stop().await;
}

/// Waits, as long as more arrives.
pub async fn until_all_arrive(
    client: &Client<'_>,
    base: &str,
    crowd: &Crowd,
    endpoints: &[Endpoint],
    events: &[Value],
) {
    let (mut seen, mut last) = (0, Instant::now());
    let waits = |endpoint: &&Endpoint| {
        let arrived = first_arrivals(crowd, &endpoint.path).len();
        arrived < due(endpoint, events).len()
    };
    loop {
        let waiting: Vec<&Endpoint> = endpoints.iter().filter(waits).collect();
        if waiting.is_empty() {
            return;
        }
        let came: usize = endpoints.iter().map(|one| crowd.count(&one.path)).sum();
        if came > seen {
            (seen, last) = (came, Instant::now());
        }
        // A lease of who was killed ends after ten seconds.
        assert!(
            last.elapsed() < Duration::from_secs(30),
            "nothing more arrives"
        );
        for endpoint in waiting {
            // Whose receiver has failed waits for minutes; switched on again, it is tried at once.
            let path = format!("webhook-endpoints/{}", endpoint.id);
            let shown = client.send(base, Method::GET, &path, json!({})).await;
            if shown.is_some_and(|shown| shown["attempt"] != 0) {
                for enabled in [false, true] {
                    let body = json!({ "enabled": enabled });
                    client.send(base, Method::PUT, &path, body).await;
                }
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// The ids that the endpoint must get, in order.
pub fn due(endpoint: &Endpoint, events: &[Value]) -> Vec<String> {
    let behind = events
        .iter()
        .filter(|event| event["sequence"].as_i64() > Some(endpoint.reached));
    behind
        .map(|event| event["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Numbered without a gap, each once; and what was acknowledged is there, once.
pub async fn the_feed_is_whole(
    client: &Client<'_>,
    base: &str,
    events: &[Value],
    acknowledged: Vec<(Value, &str)>,
) {
    assert!(acknowledged.len() > 20, "{}", acknowledged.len());
    let ids: HashSet<&str> = events
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    assert_eq!(ids.len(), events.len(), "each once");
    for (event, sequence) in events.iter().zip(1..) {
        assert_eq!(event["sequence"], sequence, "without a gap");
    }
    let mut told = HashSet::new();
    for event in events.iter().filter(|event| {
        event["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("referral."))
    }) {
        let change = (
            event["object_id"].clone(),
            event["type"].as_str().expect("a type"),
        );
        assert!(told.insert(change), "told twice: {event}");
    }
    for change in acknowledged {
        assert!(
            told.contains(&change),
            "acknowledged and not told: {change:?}"
        );
    }
    // And nothing is told that did not happen.
    let mut stored = 0;
    let mut offset = 0;
    loop {
        let path = format!("referrals?limit=1000&offset={offset}");
        let page = client
            .send(base, Method::GET, &path, json!({}))
            .await
            .expect("a page");
        let referrals = page["referrals"].as_array().expect("referrals");
        for referral in referrals {
            stored += 1 + usize::from(referral["status"] == "verified");
        }
        if referrals.len() < 1000 {
            break;
        }
        offset += 1000;
    }
    assert_eq!(told.len(), stored);
}

/// `WEBHOOK_KILLS=100` is the long run.
#[actix_web::test]
async fn what_a_killed_server_acknowledged_is_told_once_and_delivered_at_least_once() {
    for database in [Database::sqlite(), Database::postgres()] {
        kill_again_and_again(database, number("WEBHOOK_KILLS", 5)).await;
    }
}
