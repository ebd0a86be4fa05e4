//! Webhooks: what is sent, to whom, how often, and where nothing is ever sent. Receivers are real servers.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join;
use handbill::app::App;
use handbill::clock::Clock;
use handbill::db::Db;
use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::receiver::{Received, Receiver, Reply, say};
use crate::support::{Answer, Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, on_both};

/// Where endpoints are.
const PATH: &str = "/api/v1/webhook-endpoints";

async fn an_endpoint(app: &TestApp, url: &str) -> Value {
    app.post(PATH, json!({ "url": url })).await.ok()
}

fn path(endpoint: &Value, rest: &str) -> String {
    format!("{PATH}/{}{rest}", endpoint["id"].as_str().expect("an id"))
}

async fn shown(app: &TestApp, endpoint: &Value) -> Value {
    app.get(&path(endpoint, "")).await.ok()
}

async fn deliveries(app: &TestApp, endpoint: &Value) -> Vec<Value> {
    let page = app.get(&path(endpoint, "/deliveries")).await.ok();
    page["deliveries"].as_array().expect("deliveries").clone()
}

/// A POST without a body.
async fn order(app: &TestApp, path: &str) -> Answer {
    app.send(Method::POST, path, &[], None::<String>).await
}

/// Events of the account, straight into the table: the numbers `from` to `to`, as their ids say.
fn happen(app: &TestApp, kind: &str, from: i64, to: i64) -> Vec<String> {
    let ids: Vec<String> = (from..=to).map(|n| format!("evt_{n:020}")).collect();
    let mut conn = app.database.connect();
    for (id, n) in ids.iter().zip(from..) {
        let now = app.app.clock.now().micros();
        // As `emit` does: SQLite numbers at once, PostgreSQL when somebody reads.
        let sequence = match app.database.is_sqlite() {
            true => "(SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE account_id = a.id)",
            false => "NULL",
        };
        let insert = format!(
            "INSERT INTO events (account_id, id, sequence, kind, object_id, data, previous_status, created_at) \
             SELECT a.id, '{id}', {sequence}, '{kind}', 'ref_{n}', '{{\"id\":\"ref_{n}\",\"n\":{n}}}', 'pending', {now} \
             FROM accounts a WHERE a.name = 'default'"
        );
        conn.batch_execute(&insert).expect("an event");
    }
    if app.database.is_sqlite() {
        let count = "INSERT OR REPLACE INTO event_counters SELECT account_id, max(sequence) FROM events GROUP BY 1";
        conn.batch_execute(count).expect("a count");
    }
    ids
}

async fn deliver(app: &TestApp) {
    deliver_due(&app.app).await.expect("a round");
}

/// Another process on the same database.
fn another(app: &TestApp) -> App {
    let (config, clock) = ((*app.app.config).clone(), app.app.clock.clone());
    let db = Db::open(&app.database.url, 4, clock.clone()).expect("the database");
    App::new(db, clock, config, app.app.public_url.clone())
}

fn is_signed_with(received: &Received, secret: &Value, place: usize) -> bool {
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

    async fn what_fails_is_tried_ten_times_under_one_id_and_the_next_has_its_turn(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Say(500, "", "out of\0order".to_owned()));
        let endpoint = an_endpoint(app, &receiver.url).await;
        let ids = happen(app, "referral.created", 1, 2);
        let start = app.app.clock.now();
        for attempt in 1..=10 {
            deliver(app).await;
            assert_eq!(receiver.ids().iter().filter(|id| **id == ids[0]).count(), attempt);
            if attempt < 10 {
                let seen = deliveries(app, &endpoint).await.remove(0);
                assert_eq!((&seen["status"], &seen["attempts"]), (&json!("pending"), &json!(attempt)));
                assert_eq!((&seen["last_error"], &seen["excerpt"]), (&json!("answered 500"), &json!("out oforder")));
                deliver(app).await;
                assert_eq!(receiver.received().len(), attempt, "not before its time");
                wait_for_the_next(app, &endpoint).await;
            }
        }
        let took = (app.app.clock.now().micros() - start.micros()) / 1_000_000;
        let planned = 75 * 3600 + 35 * 60 + 5;
        assert!((planned * 8 / 10..=planned * 12 / 10 + 30).contains(&took), "{took}");
        let seen = deliveries(app, &endpoint).await;
        assert_eq!((&seen[0]["status"], &seen[0]["next_at"]), (&json!("failed"), &json!(null)));
        assert_eq!((&seen[1]["status"], &seen[1]["attempts"]), (&json!("pending"), &json!(1)));
        // Nobody has answered for five days: that is enough.
        while shown(app, &endpoint).await["enabled"] == true {
            wait_for_the_next(app, &endpoint).await;
            deliver(app).await;
        }
        let gave_up = shown(app, &endpoint).await;
        assert_eq!(gave_up["disabled_reason"], "nothing was delivered for 5 days");
        assert!(app.app.clock.now() >= start.plus_seconds(5 * 86_400));
        // Whoever enables it again gets what it has not got, at once.
        let before = receiver.received().len();
        app.put(&path(&endpoint, ""), json!({ "enabled": true })).await.ok();
        deliver(app).await;
        assert_eq!(receiver.ids()[before..], ids[1..]);
        assert_eq!(shown(app, &endpoint).await["disabled_at"], json!(null));
    }

    async fn a_receiver_that_comes_back_gets_everything_in_order(app: &TestApp) {
        let receiver = Receiver::start(|number, _| if (3..6).contains(&number) { say(503) } else { say(200) });
        let endpoint = an_endpoint(app, &receiver.url).await;
        let ids = happen(app, "referral.created", 1, 6);
        for _ in 0..4 {
            deliver(app).await;
            wait_for_the_next(app, &endpoint).await;
        }
        let mut expected = ids.clone();
        expected.splice(3..3, [ids[3].clone(), ids[3].clone(), ids[3].clone()]);
        assert_eq!(receiver.ids(), expected);
        let seen = deliveries(app, &endpoint).await;
        assert_eq!(seen[3]["attempts"], 4);
        assert!(seen[3]["first_at"].as_str() < seen[3]["last_at"].as_str());
        assert_eq!(shown(app, &endpoint).await["failing_since"], json!(null));
    }

    async fn gone_disables_at_once(app: &TestApp) {
        let receiver = Receiver::start(|_, _| say(410));
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 2);
        deliver(app).await;
        app.wait(86_400);
        deliver(app).await;
        assert_eq!(receiver.received().len(), 1);
        let gone = shown(app, &endpoint).await;
        assert_eq!((&gone["enabled"], &gone["disabled_reason"]), (&json!(false), &json!("the receiver answered 410 Gone")));
        let told = app.get("/api/v1/events?types=webhook_endpoint.disabled").await.ok();
        assert_eq!((told["events"].as_array().map(Vec::len), &told["events"][0]["data"]), (Some(1), &gone));
    }

    async fn a_redirect_is_a_failure_and_not_followed(app: &TestApp) {
        let inner = Receiver::friendly();
        let to: &'static str = Box::leak(format!("location: {}\r\n", inner.url).into_boxed_str());
        let receiver = Receiver::start(move |_, _| Reply::Say(307, to, String::new()));
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        assert_eq!(inner.received().len(), 0);
        assert_eq!(deliveries(app, &endpoint).await[0]["last_error"], "answered 307");
    }

    async fn an_endless_answer_is_cut_off(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Endless);
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        let seen = deliveries(app, &endpoint).await.remove(0);
        assert_eq!((&seen["status"], seen["excerpt"].as_str().map(str::len)), (&json!("delivered"), Some(1000)));
        // What the system's buffers take comes on top of what is read.
        assert!(receiver.taken.load(Ordering::Relaxed) < 16 * 1024 * 1024);
    }

    async fn a_receiver_that_hangs_or_is_dead_delays_no_other(app: &TestApp) {
        let (hanging, quick) = (Receiver::start(|_, _| Reply::Hang), Receiver::friendly());
        let slow = an_endpoint(app, &hanging.url).await;
        let dead = an_endpoint(app, "http://127.0.0.1:9/").await;
        an_endpoint(app, &quick.url).await;
        let ids = happen(app, "referral.created", 1, 20);
        let began = Instant::now();
        let watch = async {
            while quick.received().len() < 20 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            began.elapsed()
        };
        let ((), quick_took) = join(deliver(app), watch).await;
        assert_eq!(quick.ids(), ids);
        assert!(quick_took < Duration::from_secs(10), "{quick_took:?}");
        assert!((14..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert_eq!(deliveries(app, &slow).await[0]["last_error"], "no answer within 15 seconds");
        let error = deliveries(app, &dead).await[0]["last_error"].clone();
        assert!(error.as_str().is_some_and(|error| error.starts_with("no connection: ")), "{error}");
        // Five seconds would be the plan.
        app.wait(50);
        deliver(app).await;
        assert_eq!(hanging.received().len(), 1);
    }

    async fn a_receivers_wish_is_kept_within_bounds(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Say(429, "retry-after: 100\r\n", String::new()));
        let endpoint = an_endpoint(app, &receiver.url).await;
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        app.wait(90);
        deliver(app).await;
        assert_eq!(receiver.received().len(), 1);
        app.wait(11);
        deliver(app).await;
        assert_eq!(receiver.received().len(), 2);
        assert_eq!(deliveries(app, &endpoint).await[0]["last_status"], 429);
    }

    async fn after_a_rotation_both_secrets_sign_for_a_day(app: &TestApp) {
        let receiver = Receiver::friendly();
        let endpoint = an_endpoint(app, &receiver.url).await;
        let rotated = order(app, &path(&endpoint, ":rotate-secret")).await.ok();
        assert_ne!(rotated["secret"], endpoint["secret"]);
        happen(app, "referral.created", 1, 1);
        deliver(app).await;
        app.wait(86_400);
        happen(app, "referral.created", 2, 2);
        deliver(app).await;
        let received = receiver.received();
        assert!(is_signed_with(&received[0], &rotated["secret"], 0));
        assert!(is_signed_with(&received[0], &endpoint["secret"], 1));
        assert!(is_signed_with(&received[1], &rotated["secret"], 0));
        assert!(!received[1].headers["webhook-signature"].contains(' '));
    }

    async fn a_replay_delivers_again_what_was_asked_for_and_then_goes_on(app: &TestApp) {
        let receiver = Receiver::friendly();
        let endpoint = an_endpoint(app, &receiver.url).await;
        let mut ids = Vec::new();
        let mut moments = Vec::new();
        for n in 1..=6 {
            app.wait(60);
            moments.push(app.app.clock.now().to_string());
            ids.extend(happen(app, "referral.created", n, n));
        }
        deliver(app).await;
        let came = |from: usize| receiver.ids()[from..].to_vec();
        assert_eq!(came(0), ids);
        app.post(&path(&endpoint, ":replay"), json!({ "after": ids[3] })).await.ok();
        deliver(app).await;
        assert_eq!(came(6), ids[4..]);
        let body = json!({ "from": moments[1], "to": moments[2] });
        assert_eq!(app.post(&path(&endpoint, ":replay"), body).await.ok()["reached"], 1);
        ids.extend(happen(app, "referral.created", 7, 7));
        deliver(app).await;
        assert_eq!(came(8), [&ids[1..3], &ids[6..]].concat(), "and then what is new");
        let now = json!({ "from": app.app.clock.now().plus_seconds(60).to_string() });
        assert_eq!(app.post(&path(&endpoint, ":replay"), now).await.ok()["reached"], 7);
    }

    async fn one_event_is_delivered_once_more_on_demand(app: &TestApp) {
        let receiver = Receiver::start(|number, _| if number < 2 { say(500) } else { say(200) });
        let endpoint = an_endpoint(app, &receiver.url).await;
        let ids = happen(app, "referral.created", 1, 2);
        deliver(app).await;
        let retry = path(&endpoint, &format!("/deliveries/{}:retry", ids[0]));
        let still = order(app, &retry).await.ok();
        assert_eq!((&still["status"], &still["attempts"]), (&json!("pending"), &json!(2)));
        let now = order(app, &retry).await.ok();
        assert_eq!((&now["status"], &now["attempts"], &now["next_at"]), (&json!("delivered"), &json!(3), &json!(null)));
        deliver(app).await;
        assert_eq!(receiver.ids(), [&*ids[0], &*ids[0], &*ids[0], &*ids[1]], "it need not come again in its turn");
        assert_eq!(order(app, &retry).await.ok()["status"], "delivered");
        assert_eq!(receiver.received().len(), 5);
        let failed = app.get(&path(&endpoint, "/deliveries?status=failed")).await.ok();
        assert_eq!(failed["deliveries"], json!([]));
    }

    async fn a_test_is_sent_now_and_answered(app: &TestApp) {
        let receiver = Receiver::start(|_, _| Reply::Say(200, "", "thanks".to_owned()));
        let endpoint = app.post(PATH, json!({ "url": receiver.url, "enabled": false })).await.ok();
        let told = order(app, &path(&endpoint, ":test")).await.ok();
        assert_eq!((&told["delivered"], &told["status"], &told["excerpt"]), (&json!(true), &json!(200), &json!("thanks")));
        let received = receiver.received().remove(0);
        assert_eq!((received.id(), &received.json()["type"]), (told["id"].as_str().expect("an id"), &json!("webhook.test")));
        assert!(is_signed_with(&received, &endpoint["secret"], 0));
        assert!(deliveries(app, &endpoint).await.is_empty());
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

/// By the clock on the wall, because receivers refuse what was signed at another time.
#[actix_web::test]
async fn the_official_libraries_accept_the_signature() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &WEBHOOKS_TO_THIS_MACHINE, Clock::System).await;
        let receiver = Receiver::friendly();
        let endpoint = an_endpoint(&app, &receiver.url).await;
        happen(&app, "referral.created", 1, 1);
        deliver(&app).await;
        let received = receiver.received().remove(0);
        let secret = endpoint["secret"].as_str().expect("a secret");
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let value = HeaderValue::from_str(&received.headers[name]).expect("a value");
            headers.insert(HeaderName::from_static(name), value);
        }
        let webhook = Webhook::new(secret).expect("a secret");
        webhook
            .verify(received.body.as_bytes(), &headers)
            .expect("Rust's library accepts it");
        python(&received, secret);
        app.stop().await;
    }
}

/// The official library in another language.
fn python(received: &Received, secret: &str) {
    let program = concat!(env!("CARGO_TARGET_TMPDIR"), "/python/bin/python3");
    let run = |script: &str, input: &str| {
        let mut command = Command::new(program);
        command
            .args(["-c", script, input])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    assert!(
        run("import standardwebhooks", ""),
        "Python's library is needed; tests/run installs it"
    );
    let input =
        json!({ "secret": secret, "body": received.body, "headers": received.headers }).to_string();
    let script = "import json, sys; from standardwebhooks import Webhook; i = json.loads(sys.argv[1]); \
        Webhook(i['secret']).verify(i['body'], i['headers'])";
    assert!(run(script, &input), "Python's library accepts it");
    let script = script.replace("i['body']", "i['body'] + ' '");
    assert!(!run(&script, &input), "and nothing else");
}

/// Turns the clock to just behind the endpoint's next attempt.
async fn wait_for_the_next(app: &TestApp, endpoint: &Value) {
    use handbill::parse::Parse;
    let shown = shown(app, endpoint).await;
    let Some(next) = shown["next_attempt_at"].as_str() else {
        return;
    };
    let next = handbill::clock::Timestamp::parse(next).expect("a moment");
    app.wait((next.micros() - app.app.clock.now().micros()).div_euclid(1_000_000) + 2);
}
