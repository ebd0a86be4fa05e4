//! Secrets of endpoints: encrypted where they are kept.

use handbill::clock::Clock;
use reqwest::Method;
use serde_json::json;

use crate::support::process::Process;
use crate::support::receiver::Receiver;
use crate::support::{Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, on_both};
use crate::webhook_keeping::{
    BOTH_KEYS, ONE_KEY, PATH, an_endpoint, kept_in, order, secret_of, settings,
};

#[actix_web::test]
async fn with_a_key_secrets_are_encrypted_and_sign_as_before() {
    for database in [Database::sqlite(), Database::postgres()] {
        let keys = settings(&[("HANDBILL_ENCRYPTION_KEYS", ONE_KEY)]);
        let app = TestApp::start_at(database, &keys, Clock::System).await;
        let receiver = Receiver::friendly();
        let body = json!({ "url": receiver.url, "idempotency_key": "one" });
        let made = app.post(PATH, body.clone()).await.ok();
        let secret = made["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("whsec_"));
        assert_eq!(app.post(PATH, body).await.ok()["secret"], secret);
        let kept = secret_of(&app);
        assert!(
            kept.starts_with("enc1:") && !kept.contains(&secret[6..20]),
            "{kept}"
        );
        order(&app, &made, ":test").await;
        let rotated = order(&app, &made, ":rotate-secret").await["secret"].clone();
        order(&app, &made, ":test").await;
        for (received, secret) in receiver
            .received()
            .iter()
            .zip([secret, rotated.as_str().expect("a secret")])
        {
            let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
            let at = received.headers["webhook-timestamp"]
                .parse()
                .expect("seconds");
            let signature = webhook
                .sign(received.id(), at, received.body.as_bytes())
                .expect("a signature");
            assert!(received.headers["webhook-signature"].starts_with(&signature));
        }
        app.stop().await;
    }
}

on_both! {
    async fn a_rotation_whose_answer_was_lost_keeps_the_secret_that_the_receiver_knows(app: &TestApp) {
        let made = an_endpoint(app, "https://example.com/").await;
        let path = format!("{PATH}/{}:rotate-secret", made["id"].as_str().expect("an id"));
        let rotate = async |key: &str| {
            app.send(Method::POST, &path, &[("idempotency-key", key)], None::<String>).await
        };
        let first = rotate("one").await;
        assert!(!first.is_replay());
        app.wait(60);
        let again = rotate("one").await;
        assert!(again.is_replay());
        assert_eq!(again.ok(), first.ok(), "with the secret that the first request made");
        let kept = kept_in(app, "old_secret");
        assert_eq!(Some(&*kept), made["secret"].as_str(), "and the one before it signs too");
        let other = rotate("two").await;
        assert!(!other.is_replay());
        assert_ne!(other.ok()["secret"], first.ok()["secret"]);
        let rotated = app.get("/api/v1/audit-log?action=webhook_endpoint.secret_rotated").await.ok();
        assert_eq!(rotated["acts"].as_array().map(Vec::len), Some(2));
    }
}

#[actix_web::test]
async fn a_start_encrypts_what_is_not_and_refuses_a_database_whose_key_it_has_not() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_with(database, &WEBHOOKS_TO_THIS_MACHINE).await;
        let made = an_endpoint(&app, "https://example.com/").await;
        assert_eq!(secret_of(&app), made["secret"]);
        let start = |keys: &'static str| {
            Process::start_with(&app.database, &[("HANDBILL_ENCRYPTION_KEYS", keys)])
        };
        assert!(start(ONE_KEY).stop());
        let once = secret_of(&app);
        assert!(once.starts_with("enc1:"), "{once}");
        assert!(start(ONE_KEY).stop());
        assert_eq!(secret_of(&app), once, "nothing to do");
        assert!(start(BOTH_KEYS).stop());
        let anew = secret_of(&app);
        assert!(
            anew.starts_with("enc1:") && anew[..13] != once[..13],
            "{anew}"
        );
        for keys in ["", ONE_KEY] {
            let refused = Process::refused(&app.database, &[("HANDBILL_ENCRYPTION_KEYS", keys)]);
            assert!(
                refused.contains("which HANDBILL_ENCRYPTION_KEYS does not have"),
                "{refused}"
            );
            // Which of somebody's keys has which name is said before.
            let named = format!("HANDBILL_ENCRYPTION_KEYS has the keys {};", &once[5..13]);
            assert_eq!(refused.contains(&named), keys == ONE_KEY, "{refused}");
            assert!(!refused.contains(ONE_KEY));
        }
        assert_eq!(secret_of(&app), anew);
        app.stop().await;
    }
}
