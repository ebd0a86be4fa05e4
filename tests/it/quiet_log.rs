//! What is not in the log.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::command_line::{handbill, json};
use crate::support::money::id;
use crate::support::{Caller, Database};
use crate::tour::{PERSON, STUDENT, a_tour_of};

/// The log at its most talkative, after a tour through the operations and a few requests that fail.
#[actix_web::test]
async fn nobody_is_in_the_log_at_any_level() {
    for database in [Database::sqlite(), Database::postgres()] {
        let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
        let key = json(&made)["key"].as_str().expect("a key").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("log");
        let mut server = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .env("DATABASE_URL", &database.url)
            .env("HANDBILL_BIND", "127.0.0.1:0")
            .env("HANDBILL_SCAN_JOURNAL", folder.path().join("scans"))
            .env("RUST_LOG", "debug,handbill=trace")
            .stdout(Stdio::null())
            .stderr(fs::File::create(&place).expect("a file"))
            .spawn()
            .expect("the server");
        let base = loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let log = fs::read_to_string(&place).expect("the log");
            if let Some(rest) = log
                .split("reachable at ")
                .nth(1)
                .filter(|rest| rest.contains(','))
            {
                break rest.split(',').next().expect("a URL").to_owned();
            }
        };
        let caller = Caller::new(&base, Some(key.clone()));
        let hook = json!({ "url": "https://receiver.invalid/hook?token=refcanary" });
        caller.post("/api/v1/webhook-endpoints", hook).await.ok();
        let (referral, ..) = a_tour_of(&caller).await;
        let poster = caller.all("posters").await.remove(0);
        let code = poster["code"].as_str().expect("a code");
        let headers = [
            ("user-agent", "refcanary/2.0"),
            ("referer", "https://refcanary.example.com/"),
        ];
        let scan = caller
            .send(Method::GET, &format!("/q/{code}"), &headers, None::<String>)
            .await;
        assert_eq!(scan.status, 302);
        caller
            .post(
                "/api/v1/referrals",
                json!({ "impression_id": "refcanary", "email": "refcanary" }),
            )
            .await
            .refused_with(400);
        caller
            .post_text("/api/v1/users", r#"{"first_name": "usercanary"#)
            .await
            .refused_with(400);
        caller
            .get("/api/v1/users/usercanary")
            .await
            .refused_with(404);
        caller
            .get("/api/v1/referrals?status=refcanary")
            .await
            .refused_with(400);
        let stranger = Caller::new(&base, Some("sk_refcanary_usercanary".to_owned()));
        stranger.get("/api/v1/users").await.refused_with(401);
        // Events are sent five times a second; the receiver is nowhere.
        tokio::time::sleep(Duration::from_millis(600)).await;
        let path = format!("/api/v1/referrals/{}/personal-data", id(&referral));
        caller
            .send(Method::DELETE, &path, &[], None::<String>)
            .await
            .ok();
        server.kill().expect("a signal");
        server.wait().expect("an end");
        let log = fs::read_to_string(&place).expect("the log").to_lowercase();
        assert!(log.lines().count() > 20, "{log}");
        for secret in [
            PERSON,
            STUDENT,
            "203.0.113.77",
            "order 1",
            &*key.to_lowercase(),
        ] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
}
