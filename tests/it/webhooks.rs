//! Webhooks: what is sent, to whom, how often, and where nothing is ever sent. Receivers are real servers.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use futures_util::future::join;
use handbill::app::App;
use handbill::db::Db;
use handbill::events::number::number;
use handbill::events::queries::last_sequence;
use handbill::ids::EventId;
use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::receiver::{Received, Receiver, Reply, say};
use crate::support::{Answer, TestApp, WEBHOOKS_TO_THIS_MACHINE, on_both};

/// Where endpoints are.
pub const PATH: &str = "/api/v1/webhook-endpoints";

pub async fn an_endpoint(app: &TestApp, url: &str) -> Value {
    app.post(PATH, json!({ "url": url })).await.ok()
}

pub fn path(endpoint: &Value, rest: &str) -> String {
    format!("{PATH}/{}{rest}", endpoint["id"].as_str().expect("an id"))
}

pub async fn shown(app: &TestApp, endpoint: &Value) -> Value {
    app.get(&path(endpoint, "")).await.ok()
}

pub async fn deliveries(app: &TestApp, endpoint: &Value) -> Vec<Value> {
    let page = app.get(&path(endpoint, "/deliveries")).await.ok();
    page["deliveries"].as_array().expect("deliveries").clone()
}

/// A POST without a body.
pub async fn order(app: &TestApp, path: &str) -> Answer {
    app.send(Method::POST, path, &[], None::<String>).await
}

/// Events of the account, straight into the table: about `ref_{from}` to `ref_{to}`. Their ids.
pub fn happen(app: &TestApp, kind: &str, from: i64, to: i64) -> Vec<String> {
    let mut conn = app.database.connect();
    let account = app.database.account_named("default");
    // What was there before is numbered, so that it is known which numbers come now.
    number(&mut conn, &account).expect("numbers");
    let first = last_sequence(&mut conn, &account).expect("a number") + 1;
    let now = app.app.clock.now();
    for n in from..=to {
        let at = now.micros();
        // As `emit` does: SQLite numbers at once, PostgreSQL when somebody reads.
        let sequence = match app.database.is_sqlite() {
            true => "(SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE account_id = a.id)",
            false => "nextval('events_written')",
        };
        let insert = format!(
            "INSERT INTO events (account_id, sequence, kind, object_id, data, previous_status, created_at) \
             SELECT a.id, {sequence}, '{kind}', 'ref_{n}', '{{\"id\":\"ref_{n}\",\"n\":{n}}}', 'pending', {at} \
             FROM accounts a WHERE a.name = 'default'"
        );
        conn.batch_execute(&insert).expect("an event");
    }
    let ids = (first..).map(|sequence| EventId::numbered(now, sequence).as_str().to_owned());
    ids.take(usize::try_from(to - from + 1).expect("some"))
        .collect()
}

pub async fn deliver(app: &TestApp) {
    deliver_due(&app.app).await.expect("a round");
}

/// Another process on the same database.
pub fn another(app: &TestApp) -> App {
    let (config, clock) = ((*app.app.config).clone(), app.app.clock.clone());
    let db = Db::open(&app.database.url, 4, clock.clone()).expect("the database");
    App::new(db, clock, config, app.app.public_url.clone())
}

pub fn is_signed_with(received: &Received, secret: &Value, place: usize) -> bool {
    let at = received.headers["webhook-timestamp"]
        .parse()
        .expect("seconds");
    let webhook = Webhook::new(secret.as_str().expect("a secret")).expect("a secret");
    let expected = webhook
        .sign(received.id(), at, received.body.as_bytes())
        .expect("a signature");
    let signatures: Vec<&str> = received.headers["webhook-signature"].split(' ').collect();
    signatures.get(place) == Some(&&*expected)
}

on_both! { with WEBHOOKS_TO_THIS_MACHINE =>
    async fn an_endpoint_is_made_shown_changed_and_deleted(app: &TestApp) {
        let body = json!({ "url": "https://example.com/hook", "types": ["referral.*", "earning.created"], "idempotency_key": "one" });
        let made = app.post(PATH, body.clone()).await;
        let endpoint = made.ok();
        let secret = endpoint["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("whsec_") && secret.len() == 6 + 44, "{secret}");
        assert!(Webhook::new(secret).is_ok());
        let again = app.post(PATH, body).await;
        assert!(again.is_replay());
        assert_eq!(again.ok(), endpoint, "who lost the answer gets the secret once more");
        let listed = app.get(PATH).await.ok();
        assert_eq!(listed["webhook_endpoints"][0]["types"], json!(["referral.*", "earning.created"]));
        for seen in [&listed["webhook_endpoints"][0], &shown(app, &endpoint).await] {
            assert_eq!(seen["secret"], json!(null));
            assert!(!seen.to_string().contains(secret));
        }
        let change = json!({ "types": null, "description": "CRM", "enabled": false });
        let changed = app.put(&path(&endpoint, ""), change).await.ok();
        assert_eq!((&changed["types"], &changed["description"], &changed["enabled"]), (&json!(null), &json!("CRM"), &json!(false)));
        app.stranger().await.get(&path(&endpoint, "")).await.refused_with(404);
        assert_eq!(app.send(Method::DELETE, &path(&endpoint, ""), &[], None::<String>).await.status, 204);
        app.get(&path(&endpoint, "")).await.refused_with(404);
        app.send(Method::DELETE, &path(&endpoint, ""), &[], None::<String>).await.refused_with(404);
    }

    async fn an_endpoint_that_makes_no_sense_is_refused(app: &TestApp) {
        for (body, message) in [
            (json!({}), "Missing required field: url"),
            (json!({ "url": "https://user:pw@example.com" }), "url must not contain a user name or password"),
            (json!({ "url": "ftp://example.com" }), "url must be an absolute http:// or https:// URL"),
            (json!({ "url": "https://example.com", "types": [] }), "types must name at least one type, or be null for all"),
            (json!({ "url": "https://example.com", "types": ["referral.eaten"] }),
                "types must be types of events or patterns such as referral.*, not 'referral.eaten'"),
            (json!({ "url": "https://example.com", "types": "referral.*" }), "types must be an array of strings"),
        ] {
            app.post(PATH, body).await.refused(400, message);
        }
        let endpoint = an_endpoint(app, "https://example.com").await;
        app.post(&path(&endpoint, ":replay"), json!({})).await.refused(400, "from or after must be given");
        app.post(&path(&endpoint, ":replay"), json!({ "after": "evt_1" })).await.refused(400, "Invalid after: no such event");
        for rest in [":replay", ":test", ":rotate-secret"] {
            app.post(&format!("{PATH}/whe_1{rest}"), json!({ "after": "evt_1" })).await.refused_with(404);
        }
        order(app, &path(&endpoint, "/deliveries/evt_1:retry")).await.refused(404, "Delivery not found");
    }

    async fn events_arrive_in_order_signed_and_only_what_is_wanted(app: &TestApp) {
        happen(app, "referral.created", 1, 3);
        let (all, some) = (Receiver::friendly(), Receiver::friendly());
        let endpoint = an_endpoint(app, &all.url).await;
        app.post(PATH, json!({ "url": some.url, "types": ["referral.*"] })).await.ok();
        let mut ids = happen(app, "referral.created", 4, 63);
        let wanted = ids.clone();
        ids.extend(happen(app, "earning.created", 64, 140));
        deliver(app).await;
        assert_eq!(all.ids(), ids, "from the first after it was made, each once");
        assert_eq!(some.ids(), wanted);
        let first = &all.received()[0];
        let body = first.json();
        assert_eq!(body, json!({
            "type": "referral.created", "timestamp": body["timestamp"], "data": { "id": "ref_4", "n": 4 },
            "id": ids[0], "sequence": 4, "previous_status": "pending",
        }));
        assert!(is_signed_with(first, &endpoint["secret"], 0));
        assert_eq!(first.headers["content-type"], "application/json");
        assert!(first.headers["user-agent"].starts_with("handbill/"));
        let seen = deliveries(app, &endpoint).await;
        assert_eq!(seen.len(), 50);
        assert_eq!((&seen[0]["status"], &seen[0]["attempts"], &seen[0]["last_status"]), (&json!("delivered"), &json!(1), &json!(204)));
        assert_eq!(shown(app, &endpoint).await["reached"], 140);
        deliver(app).await;
        assert_eq!(all.received().len(), ids.len());
    }

    async fn two_dispatchers_at_once_deliver_each_event_once(app: &TestApp) {
        let receivers: Vec<Receiver> = (0..6).map(|_| Receiver::friendly()).collect();
        for receiver in &receivers {
            an_endpoint(app, &receiver.url).await;
        }
        let ids = happen(app, "referral.created", 1, 70);
        let other = another(app);
        let (one, two) = join(deliver_due(&app.app), deliver_due(&other)).await;
        one.and(two).expect("both rounds");
        deliver(app).await;
        for receiver in &receivers {
            assert_eq!(receiver.ids(), ids);
        }
    }

    async fn who_dies_before_it_is_written_down_delivers_again_under_the_same_ids(app: &TestApp) {
        let receiver = Receiver::start(|number, _| if number == 2 { Reply::Hang } else { say(200) });
        let endpoint = an_endpoint(app, &receiver.url).await;
        let ids = happen(app, "referral.created", 1, 4);
        tokio::time::timeout(Duration::from_secs(3), deliver_due(&app.app)).await.expect_err("it hangs");
        assert_eq!(receiver.received().len(), 3);
        let other = another(app);
        deliver_due(&other).await.expect("a round");
        assert_eq!(receiver.received().len(), 3, "the lease is not over");
        app.wait(11);
        deliver_due(&other).await.expect("a round");
        assert_eq!(receiver.ids()[3..], ids);
        assert_eq!(shown(app, &endpoint).await["reached"], 4);
    }
}

on_both! { with [("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on")] =>
    async fn nothing_is_sent_into_our_own_network(app: &TestApp) {
        let receiver = Receiver::friendly();
        let port = receiver.url.split(':').next_back().expect("a port").to_owned();
        happen(app, "referral.created", 1, 1);
        let endpoint = an_endpoint(app, "http://example.com").await;
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254"] {
            let url = format!("http://{host}:{port}");
            for answer in [app.post(PATH, json!({ "url": url })).await, app.put(&path(&endpoint, ""), json!({ "url": url })).await] {
                answer.refused(400, "url must lead to a public address");
            }
            // As if it had been allowed once.
            let sql = format!("UPDATE webhook_endpoints SET url = '{url}'");
            app.database.connect().batch_execute(&sql).expect("another address");
            let told = order(app, &path(&endpoint, ":test")).await.ok();
            assert_eq!(told["error"], "refused: the host's address is not public", "{host}");
        }
        happen(app, "referral.created", 2, 2);
        deliver(app).await;
        let seen = deliveries(app, &endpoint).await.remove(0);
        assert_eq!((&seen["status"], &seen["last_error"]), (&json!("pending"), &json!("refused: the host's address is not public")));
        assert_eq!(receiver.received().len(), 0);
    }
}

on_both! {
    async fn plain_http_is_refused_unless_it_is_allowed(app: &TestApp) {
        app.post(PATH, json!({ "url": "http://example.com" })).await.refused(400, "url must begin with https://");
        let endpoint = an_endpoint(app, "https://example.com").await;
        app.put(&path(&endpoint, ""), json!({ "url": "http://example.com" })).await.refused(400, "url must begin with https://");
    }
}
