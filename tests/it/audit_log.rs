//! The audit log: what was done, by whom, in the transaction in which it was done, and never changed.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::command_line::{handbill, json};
use crate::support::money::id;
use crate::support::{TestApp, on_both};

/// What the log says: what was done, to what, in order.
async fn acts(app: &TestApp, query: &str) -> Vec<(String, String)> {
    let page = app
        .get(&format!("/api/v1/audit-log?limit=1000{query}"))
        .await
        .ok();
    let acts = page["acts"].as_array().expect("acts").clone();
    let text = |act: &Value, field: &str| act[field].as_str().expect("text").to_owned();
    acts.iter()
        .map(|act| (text(act, "action"), text(act, "object_id")))
        .collect()
}

async fn order(app: &TestApp, method: Method, path: &str) {
    let answer = app.send(method, path, &[], None::<String>).await;
    assert!(answer.status < 300, "{}", answer.text());
}

on_both! {
    async fn what_is_done_is_in_the_log_once_and_in_order(app: &TestApp) {
        let program = app.a_program().await;
        let student = app.a_student_of(&program).await;
        let poster = app.a_poster_of(&student).await;
        let scan = app.a_scan_of(&poster).await;
        let referral = app.a_referral_from(&scan).await;
        let earning = app.an_earning_of(&referral).await;
        app.wait(1);
        let hook = json!({ "url": "https://example.com/hook", "idempotency_key": "hook" });
        let endpoint = app.post("/api/v1/webhook-endpoints", hook.clone()).await.ok();
        assert!(app.post("/api/v1/webhook-endpoints", hook).await.is_replay());
        let rule = json!({ "rule": { "commission": { "type": "percent", "basis_points": 2000 } } });
        let mut expected = vec![
            ("program.created", id(&program)), ("user.created", id(&student)), ("poster.created", id(&poster)),
            ("webhook_endpoint.created", id(&endpoint)),
        ];
        // Each of them twice: the second time nothing changes.
        for (path, of, body, action) in [
            ("programs", &program, json!({ "name": "Another" }), "program.updated"),
            ("users", &student, json!({ "first_name": "Another" }), "user.updated"),
            ("posters", &poster, json!({ "location": "Elsewhere" }), "poster.updated"),
            ("referrals", &referral, json!({ "status": "verified" }), "referral.updated"),
            ("earnings", &earning, json!({ "amount": 600 }), "earning.updated"),
            ("webhook-endpoints", &endpoint, json!({ "description": "ours" }), "webhook_endpoint.updated"),
        ] {
            for _ in 0..2 {
                app.wait(1);
                app.put(&format!("/api/v1/{path}/{}", id(of)), body.clone()).await.ok();
            }
            expected.push((action, id(of)));
        }
        for _ in 0..2 {
            app.wait(1);
            app.post(&format!("/api/v1/programs/{}/rules", id(&program)), rule.clone()).await.ok();
        }
        expected.push(("rule.published", id(&program)));
        app.wait(1);
        let run = app.post("/api/v1/payouts:collect", json!({ "program_id": program["id"] })).await.ok();
        expected.push(("payouts.collected", id(&run)));
        let payout = app.all("payouts").await.remove(0);
        app.wait(1);
        app.put(&format!("/api/v1/payouts/{}", id(&payout)), json!({ "status": "paid" })).await.ok();
        expected.push(("payout.updated", id(&payout)));
        let path = format!("/api/v1/webhook-endpoints/{}", id(&endpoint));
        app.wait(1);
        order(app, Method::POST, &format!("{path}:rotate-secret")).await;
        app.wait(1);
        app.post(&format!("{path}:replay"), json!({ "from": "2024-01-01T00:00:00Z" })).await.ok();
        app.wait(1);
        order(app, Method::DELETE, &path).await;
        app.wait(1);
        order(app, Method::DELETE, &format!("/api/v1/referrals/{}/personal-data", id(&referral))).await;
        for action in ["webhook_endpoint.secret_rotated", "webhook_endpoint.replayed", "webhook_endpoint.deleted"] {
            expected.push((action, id(&endpoint)));
        }
        expected.push(("referral.erased", id(&referral)));
        let said = acts(app, "").await;
        let said: Vec<(&str, &str)> = said.iter().map(|(action, object)| (&**action, &**object)).collect();
        assert_eq!(said, expected);
        // Who, and what about it.
        let decided = app.get("/api/v1/audit-log?action=referral.updated").await.ok();
        assert_eq!(decided["acts"][0]["details"], json!({ "status": "verified" }));
        let by = decided["acts"][0]["by"].as_str().expect("a key").to_owned();
        assert!(by.starts_with("key_"));
        // Filters and pages.
        assert_eq!(acts(app, &format!("&object_id={}", id(&poster))).await.len(), 2);
        assert_eq!(acts(app, &format!("&by={by}")).await.len(), expected.len());
        assert_eq!(acts(app, "&by=key_unknown").await, []);
        assert_eq!(acts(app, "&to=2024-03-01T09:00:01Z").await.len(), 3);
        assert_eq!(acts(app, "&from=2024-03-01T09:00:01Z").await.len(), expected.len() - 3);
        app.get("/api/v1/audit-log?action=fly").await.refused_with(400);
        let mut walked = Vec::new();
        let mut after = String::new();
        loop {
            let page = app.get(&format!("/api/v1/audit-log?limit=4{after}")).await.ok();
            let page = page["acts"].as_array().expect("acts").clone();
            let Some(last) = page.last() else { break };
            after = format!("&after={}", id(last));
            walked.extend(page);
        }
        assert_eq!(walked.len(), expected.len());
        // A stranger sees nothing of it.
        let stranger = app.stranger().await;
        assert_eq!(stranger.get("/api/v1/audit-log").await.ok()["acts"], json!([]));
    }

    async fn what_is_refused_is_not_in_the_log(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = format!("/api/v1/referrals/{}", id(&referral));
        app.put(&path, json!({ "status": "rejected" })).await.ok();
        let before = acts(app, "").await;
        app.put(&path, json!({ "status": "verified" })).await.refused_with(409);
        app.put(&path, json!({ "status": "x" })).await.refused_with(400);
        assert_eq!(acts(app, "").await, before);
    }

    async fn the_command_line_is_in_the_log_without_a_key(app: &TestApp) {
        let url = &app.database.url;
        let made = json(&handbill(url, &["keys", "create", "--name", "B", "--json"]));
        for _ in 0..2 {
            json(&handbill(url, &["keys", "revoke", id(&made), "--json"]));
        }
        assert!(handbill(url, &["export", "-"]).status.success());
        let page = app.get("/api/v1/audit-log").await.ok();
        let acts = page["acts"].as_array().expect("acts");
        let said: Vec<&str> = acts.iter().map(|act| act["action"].as_str().expect("an action")).collect();
        assert_eq!(said, ["key.created", "key.revoked", "account.exported"]);
        for act in acts {
            assert_eq!(act["by"], Value::Null);
        }
    }

    async fn nobody_changes_the_log_not_even_with_sql(app: &TestApp) {
        app.a_program().await;
        let mut conn = app.database.connect();
        for statement in [
            "UPDATE acts SET action = 'x'",
            "DELETE FROM acts",
            "INSERT INTO acts SELECT * FROM acts",
        ] {
            assert!(conn.batch_execute(statement).is_err(), "{statement}");
        }
        if app.database.is_sqlite() {
            assert!(conn.batch_execute("INSERT OR REPLACE INTO acts SELECT * FROM acts").is_err());
        }
        assert_eq!(acts(app, "").await.len(), 1);
    }
}
