//! `/api/v1/programs/{id}/rules`: versions, and what they have to do with the program.

use std::fs;

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::rule_shapes::{SHAPES, percent, rule_of, rules_of, whole};
use crate::support::on_both;

on_both! {
    async fn a_program_has_a_rule_from_the_start_and_keeps_every_version(app: &TestApp) {
        let program = app.a_program().await;
        let rules = rules_of(&program);
        let first = app.get(&rules).await.ok();
        assert_eq!(first, json!({
            "rules": [{
                "program_id": program["id"], "version": 1, "rule": whole(&percent(1000)),
                "created_at": program["created_at"], "created_by": first["rules"][0]["created_by"],
            }],
            "limit": 50, "offset": 0, "has_more": false,
        }));
        let mut expected = vec![first["rules"][0].clone()];
        for rate in [2000, 3000, 1000] {
            app.wait(60);
            expected.push(app.post(&rules, json!({ "rule": percent(rate) })).await.ok());
        }
        assert_eq!(expected[3]["created_at"], "2024-03-01T09:03:00Z");
        assert_eq!(app.get(&rules).await.ok()["rules"], json!(expected));
        for (query, shown) in [
            ("limit=2", &expected[..2]), ("limit=2&offset=1", &expected[1..3]), ("after=2", &expected[2..]),
            ("after=1&limit=1", &expected[1..2]), ("after=9", &expected[4..]),
        ] {
            assert_eq!(app.get(&format!("{rules}?{query}")).await.ok()["rules"], json!(shown), "{query}");
        }
        let page = app.get(&format!("{rules}?after=1&limit=2")).await;
        assert!(page.header("link").is_some_and(|link| link.contains("limit=2&after=3>; rel=\"next\"")));
        let newest = app.get(&format!("{rules}?order=desc&limit=1")).await.ok();
        assert_eq!((&newest["rules"], &newest["has_more"]), (&json!([expected[3]]), &json!(true)));
        for bad in ["0", "5", "01", "+1", "x", "1.0", "99999999999999999999"] {
            app.get(&format!("{rules}/{bad}")).await.refused(404, "Rule not found");
        }
        app.get(&format!("{rules}?after=prog_1")).await.refused(400, "after must be a version from this list");
        app.get(&format!("{rules}?limit=x")).await.refused_with(400);
    }

    async fn the_rate_of_a_program_and_its_rule_follow_one_another(app: &TestApp) {
        let program = app.a_program().await;
        let (path, rules) = (format!("/api/v1/programs/{}", program["id"].as_str().expect("an id")), rules_of(&program));
        let current = async || app.get(&format!("{rules}?order=desc&limit=1")).await.ok()["rules"][0].clone();
        app.wait(60);
        // The same rate, or something else about the program, is no new rule.
        app.put(&path, json!({ "commission_rate": 10, "name": "Other" })).await.ok();
        assert_eq!(current().await["version"], 1);
        assert_eq!(app.put(&path, json!({ "commission_rate": 12.5 })).await.ok()["commission_rate"], json!(12.5));
        let published = current().await;
        assert_eq!((&published["version"], &published["rule"]), (&json!(2), &whole(&percent(1250))));
        assert_eq!(published["created_at"], "2024-03-01T09:01:00Z");
        app.wait(60);
        app.post(&rules, json!({ "rule": percent(725) })).await.ok();
        let shown = app.get(&path).await.ok();
        assert_eq!((&shown["commission_rate"], &shown["updated_at"]), (&json!(7.25), &json!("2024-03-01T09:02:00Z")));
        // A rule without a rate leaves what is shown, and sending that back does not undo the rule.
        let tiers = json!({ "rule": rule_of(SHAPES, 4) });
        app.post(&rules, tiers).await.ok();
        assert_eq!(app.get(&path).await.ok(), shown);
        app.put(&path, shown.clone()).await.ok();
        assert_eq!(current().await["version"], 4);
        app.put(&path, json!({ "commission_rate": 0 })).await.ok();
        assert_eq!(current().await["rule"], whole(&percent(0)));
    }

    async fn a_currency_cannot_change_under_amounts(app: &TestApp) {
        let program = app.a_program().await;
        let (path, rules) = (format!("/api/v1/programs/{}", program["id"].as_str().expect("an id")), rules_of(&program));
        app.put(&path, json!({ "payout_currency": "EUR" })).await.ok();
        for rule in [2, 10, 12].map(|n| rule_of(SHAPES, n)) {
            app.post(&rules, json!({ "rule": rule })).await.ok();
            let before = app.get(&path).await.ok();
            let refused = app.put(&path, json!({ "payout_currency": "JPY", "name": "Other" })).await.refused_with(409);
            assert_eq!(refused["code"], "rule_currency");
            assert_eq!(app.get(&path).await.ok(), before, "nothing was changed");
        }
        // A new rate is a rule without amounts.
        let changed = app.put(&path, json!({ "payout_currency": "JPY", "commission_rate": 5 })).await.ok();
        assert_eq!(changed["payout_currency"], "JPY");
    }

    async fn rules_published_at_once_get_a_version_each(app: &TestApp) {
        let rules = rules_of(&app.a_program().await);
        let posts = (1..=20).map(|rate| app.post(&rules, json!({ "rule": percent(rate) })));
        let mut versions: Vec<i64> = join_all(posts).await.iter()
            .map(|answer| answer.ok()["version"].as_i64().expect("a version")).collect();
        versions.sort_unstable();
        assert_eq!(versions, (2..=21).collect::<Vec<_>>());
    }

    async fn anothers_rules_are_not_there(app: &TestApp) {
        let program = app.a_program().await;
        let rules = rules_of(&program);
        let stranger = app.stranger().await;
        let body = json!({ "rule": percent(1) });
        stranger.get(&rules).await.refused(404, "Program not found");
        stranger.get(&format!("{rules}/1")).await.refused(404, "Rule not found");
        // 404 before 400, as everywhere.
        for body in [body.clone(), json!({})] {
            stranger.post(&rules, body.clone()).await.refused(404, "Program not found");
            stranger.post(&format!("{rules}:preview"), body).await.refused(404, "Program not found");
        }
        app.post("/api/v1/programs/prog_unknown/rules", body).await.refused(404, "Program not found");
        assert_eq!(app.get(&rules).await.ok()["rules"].as_array().expect("rules").len(), 1);
    }

    async fn a_preview_writes_nothing(app: &TestApp) {
        let program = app.a_program().await;
        let rules = rules_of(&program);
        let before = app.get(&rules).await.ok();
        let preview = async |body: Value| app.post(&format!("{rules}:preview"), body).await;
        for (asked, from, to) in [
            (json!({}), "2024-02-01", "2024-02-29"),
            (json!({ "from": "2024-02-15" }), "2024-02-15", "2024-03-01"),
            (json!({ "to": "2024-01-15" }), "2024-01-01", "2024-01-15"),
            (json!({ "from": "2023-01-01", "to": "2023-12-31" }), "2023-01-01", "2023-12-31"),
        ] {
            let mut body = asked;
            body["rule"] = percent(2000);
            let expected = json!({ "from": from, "to": to, "totals": [], "lines": [] });
            assert_eq!(preview(body).await.ok(), expected);
        }
        for (from, to, message) in [
            ("2024-02-02", "2024-02-01", "to must not be before from"),
            ("2023-01-01", "2024-01-02", "to must be within 366 days of from"),
        ] {
            let refused = preview(json!({ "rule": percent(1), "from": from, "to": to })).await.refused(400, message);
            assert_eq!(refused["errors"][0]["code"], "invalid_period");
        }
        assert_eq!(app.get(&rules).await.ok(), before);
        assert_eq!(app.get(&format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"))).await.ok(), program);
    }

    async fn programs_older_than_rules_get_their_rate_as_the_first(app: &TestApp) {
        let program = app.a_program().await;
        let rules = rules_of(&program);
        let kind = if app.database.is_sqlite() { "sqlite" } else { "postgres" };
        let folder = format!("{}/migrations/{kind}/2026-11-21-000013_create_commission_rules", env!("CARGO_MANIFEST_DIR"));
        let mut conn = app.database.connect();
        for file in ["down.sql", "up.sql"] {
            let statements = fs::read_to_string(format!("{folder}/{file}")).expect("the migration");
            conn.batch_execute(&statements).expect(file);
        }
        let expected = json!({
            "program_id": program["id"], "version": 1, "rule": whole(&percent(1000)),
            "created_at": program["created_at"], "created_by": null,
        });
        assert_eq!(app.get(&rules).await.ok()["rules"], json!([expected]));
        // Written as the program writes it, so it is the same rule.
        assert_eq!(app.post(&rules, json!({ "rule": percent(1000) })).await.ok(), expected);
    }
}
