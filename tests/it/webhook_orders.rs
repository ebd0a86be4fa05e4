//! What can be asked of an endpoint: new secrets, replays, tests. And that others accept its signatures.

use std::process::{Command, Stdio};

use handbill::clock::Clock;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use standardwebhooks::Webhook;

use crate::support::receiver::{Received, Receiver, Reply, say};
use crate::support::{Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, on_both};
use crate::webhooks::{
    PATH, an_endpoint, deliver, deliveries, happen, is_signed_with, order, path,
};

on_both! { with WEBHOOKS_TO_THIS_MACHINE =>
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
