//! VINR's webhook endpoints.

use std::time::Duration;

use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use serde_json::json;

use crate::support::money::id;
use crate::support::receiver::Receiver;
use crate::support::{Database, TestApp};
use crate::vinr::{INVALID, made, refused};

/// The HMAC is computed here by another library's hand: openssl's.
fn signature_of(secret: &str, text: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl");
    let mut input = openssl.stdin.take().expect("an input");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    let output = openssl.wait_with_output().expect("a digest");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.rsplit(' ').next().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn endpoints_hear_of_referrals_in_vinrs_words_and_with_its_signature() {
    for database in [Database::sqlite(), Database::postgres()] {
        let settings = [
            ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
            ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
        ];
        let app = TestApp::start_with(database, &settings).await;
        let receiver = Receiver::friendly();
        let body = format!(
            "url={}&enabled_events[]=referral.created&enabled_events[]=payment.completed",
            receiver.url
        );
        let endpoint = made(&app.form("/v1/webhook-endpoints", &body, &[]).await);
        assert!(id(&endpoint).starts_with("we_"), "{endpoint}");
        assert_eq!(
            (&endpoint["status"], &endpoint["enabled_events"]),
            (
                &json!("enabled"),
                &json!(["referral.created", "payment.completed"])
            )
        );
        let secret = endpoint["secret"].as_str().expect("a secret").to_owned();
        for _ in 0..50 {
            if !receiver.received().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(
            receiver.received()[0].json()["type"],
            "webhook.test",
            "saved and tried out"
        );
        let tried = &receiver.received()[0].json()["data"]["object"]["webhook_endpoint_id"];
        let shown = app.get("/v1/webhook-endpoints").await.ok();
        assert_eq!(*tried, shown["data"][0]["id"], "its own id, as VINR has it");
        let (ines, marco) = (
            app.known("ines@example.com").await,
            app.known("marco@example.com").await,
        );
        let referral = app.referred(&ines, &marco).await;
        app.a_referral().await;
        app.get("/v1/events").await.ok();
        deliver_due(&app.app).await.expect("delivered");
        let received = receiver.received();
        assert_eq!(
            received.len(),
            2,
            "only what it wants to hear, and what is VINR's"
        );
        let event = app.get("/v1/events").await.ok()["data"][0].clone();
        let got = &received[1];
        assert_eq!(got.json(), event);
        assert_eq!(event["data"]["object"], referral);
        let stamp = &got.headers["x-vinr-timestamp"];
        let signed = format!("{stamp}.{}", got.body);
        assert_eq!(
            got.headers["x-vinr-signature"],
            signature_of(&secret, &signed)
        );
        assert!(!got.headers.contains_key("webhook-signature"));
        let path = format!("/v1/webhook-endpoints/{}", id(&endpoint));
        let mut shown = endpoint.clone();
        shown.as_object_mut().expect("an object").remove("secret");
        assert_eq!(app.get(&path).await.ok(), shown);
        assert_eq!(
            app.get("/v1/webhook-endpoints").await.ok()["data"],
            json!([shown])
        );
        let changed = app
            .form(&path, "enabled_events[]=*&status=disabled", &[])
            .await
            .ok();
        assert_eq!(
            (&changed["status"], &changed["enabled_events"]),
            (&json!("disabled"), &json!(["*"]))
        );
        let ours = app
            .all_of("webhook-endpoints", "webhook_endpoints")
            .await
            .remove(0);
        assert_eq!(
            (&ours["dialect"], &ours["types"]),
            (&json!("vinr"), &json!(["introduction.*"]))
        );
        let other = json!({ "url": receiver.url });
        let other = app.post("/api/v1/webhook-endpoints", other).await.ok();
        let foreign = format!(
            "/v1/webhook-endpoints/{}",
            id(&other).replacen("whe_", "we_", 1)
        );
        refused(
            &app.get(&foreign).await,
            404,
            (INVALID, "resource_missing", Some("id")),
        );
        let gone = app
            .send(Method::DELETE, &path, &[], None::<String>)
            .await
            .ok();
        assert_eq!(gone, json!({ "id": endpoint["id"], "deleted": true }));
        refused(
            &app.get(&path).await,
            404,
            (INVALID, "resource_missing", Some("id")),
        );
        refused(
            &app.form("/v1/webhook-endpoints", "url=ftp://x", &[]).await,
            400,
            (INVALID, "parameter_invalid", Some("url")),
        );
        app.stop().await;
    }
}
