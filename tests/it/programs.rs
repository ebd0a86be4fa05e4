//! `/api/v1/programs`.

use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn a_program_starts_with_the_documented_defaults(app: &TestApp) {
        let body = json!({ "name": " Campus launch ", "landing_url": "https://example.com/join" });
        let program = app.post("/api/v1/programs", body).await.ok();
        assert!(program["id"].as_str().is_some_and(|id| id.starts_with("prog_") && id.len() == 25));
        let expected = json!({
            "id": program["id"], "name": "Campus launch", "description": null,
            "landing_url": "https://example.com/join", "commission_rate": 0, "payout_schedule": "manual",
            "minimum_payout": 0, "payout_currency": "USD", "available_when": "verified", "hold_days": 30,
            "converted_by": "conversion", "audience": "ambassadors", "coupons": false, "coupon_prefix": "JOY-",
            "coupon_days": null, "status": "active",
            "created_at": "2024-03-01T09:00:00Z", "updated_at": "2024-03-01T09:00:00Z",
        });
        assert_eq!(program, expected);
        let id = program["id"].as_str().expect("an id");
        assert_eq!(app.get(&format!("/api/v1/programs/{id}")).await.ok(), program);
        assert_eq!(app.all("programs").await, vec![program]);
    }

    async fn everything_about_a_program_can_be_said_and_changed(app: &TestApp) {
        let body = json!({
            "name": "A", "description": "first", "landing_url": "https://example.com/a", "commission_rate": 12.5,
            "payout_schedule": "weekly", "minimum_payout": 5000, "payout_currency": "eur", "status": "paused",
        });
        let program = app.post("/api/v1/programs", body).await.ok();
        assert_eq!(program["commission_rate"], json!(12.5));
        assert_eq!(program["payout_currency"], "EUR");
        app.wait(60);
        let path = format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"));
        let changes = json!({
            "name": "B", "description": null, "landing_url": "https://example.com/b", "commission_rate": 7.25,
            "payout_schedule": "biweekly", "minimum_payout": 100, "payout_currency": "JPY", "status": "active",
            "available_when": "hold_days", "hold_days": 14, "converted_by": "hand",
        });
        let changed = app.put(&path, changes).await.ok();
        let expected = json!({
            "id": program["id"], "name": "B", "description": null, "landing_url": "https://example.com/b",
            "commission_rate": 7.25, "payout_schedule": "biweekly", "minimum_payout": 100, "payout_currency": "JPY",
            "available_when": "hold_days", "hold_days": 14, "converted_by": "hand",
            "audience": "ambassadors", "coupons": false, "coupon_prefix": "JOY-", "coupon_days": null,
            "status": "active", "created_at": program["created_at"], "updated_at": "2024-03-01T09:01:00Z",
        });
        assert_eq!(changed, expected);
        app.wait(60);
        assert_eq!(app.put(&path, json!({})).await.ok(), expected, "an empty update changes nothing");
        assert_eq!(app.put(&path, json!({ "name": "B", "id": "prog_x" })).await.ok(), expected);
        assert_eq!(app.get(&path).await.ok(), expected);
    }

    async fn a_program_that_cannot_be_is_refused_field_by_field(app: &TestApp) {
        let body = json!({
            "name": "", "landing_url": "ftp://example.com", "commission_rate": 101, "payout_schedule": "daily",
            "minimum_payout": -1, "payout_currency": "XYZ", "available_when": "soon", "hold_days": 3651, "converted_by": "", "status": "closed",
        });
        let refused = app.post("/api/v1/programs", body).await.refused(400, "name must not be blank");
        let fields: Vec<_> = refused["errors"].as_array().expect("errors").iter()
            .map(|error| (error["field"].as_str().expect("a field"), error["code"].as_str().expect("a code")))
            .collect();
        assert_eq!(fields, [
            ("name", "blank"), ("landing_url", "invalid_url"), ("commission_rate", "invalid_rate"),
            ("payout_schedule", "unknown_value"), ("minimum_payout", "invalid_amount"),
            ("payout_currency", "unknown_currency"), ("available_when", "unknown_value"), ("hold_days", "invalid_days"),
            ("converted_by", "unknown_value"), ("status", "unknown_value"),
        ]);
        app.post("/api/v1/programs", json!({})).await.refused(400, "Missing required field: name");
        app.post("/api/v1/programs", json!({ "name": "A" })).await.refused(400, "Missing required field: landing_url");
        assert!(app.all("programs").await.is_empty(), "nothing was stored");
    }

    async fn a_currency_cannot_change_under_a_minimum_that_is_not_said_anew(app: &TestApp) {
        let body = json!({
            "name": "A", "landing_url": "https://example.com/a", "minimum_payout": 5000, "payout_currency": "JPY",
        });
        let program = app.post("/api/v1/programs", body).await.ok();
        let path = format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"));
        let refused = app.put(&path, json!({ "payout_currency": "KWD", "name": "B" })).await.refused_with(409);
        assert_eq!(refused["code"], "minimum_currency");
        assert_eq!(refused["message"],
            "The program's minimum_payout is 5000 JPY; say what it is in the new currency together with that");
        assert_eq!(app.get(&path).await.ok(), program, "nothing was changed");
        app.put(&path, json!({ "payout_currency": "JPY", "name": "A" })).await.ok();
        let changed = app.put(&path, json!({ "payout_currency": "KWD", "minimum_payout": 10_000 })).await.ok();
        assert_eq!((&changed["payout_currency"], &changed["minimum_payout"]), (&json!("KWD"), &json!(10_000)));
        app.put(&path, json!({ "minimum_payout": 0 })).await.ok();
        app.put(&path, json!({ "payout_currency": "USD" })).await.ok();
    }

    async fn programs_are_listed_by_status(app: &TestApp) {
        let first = app.a_program().await;
        let second = app.a_program().await;
        let path = format!("/api/v1/programs/{}", second["id"].as_str().expect("an id"));
        let second = app.put(&path, json!({ "status": "paused" })).await.ok();
        assert_eq!(app.get("/api/v1/programs?status=paused").await.ok()["programs"], json!([second]));
        assert_eq!(app.get("/api/v1/programs?status=active").await.ok()["programs"], json!([first]));
        app.get("/api/v1/programs?status=x").await.refused(400, "status must be one of active, paused");
    }

    async fn a_paused_program_takes_nobody_new_and_loses_nothing(app: &TestApp) {
        let program = app.a_program().await;
        let student = app.a_student_of(&program).await;
        let poster = app.a_poster_of(&student).await;
        let path = format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"));
        app.put(&path, json!({ "status": "paused" })).await.ok();
        let person = json!({ "program_id": program["id"], "first_name": "D", "last_name": "E", "email": "d@example.com" });
        let refused = app.post("/api/v1/users", person).await.refused_with(409);
        assert_eq!(refused["code"], "program_paused");
        app.post("/api/v1/posters", json!({ "student_id": student["id"] })).await.refused_with(409);
        let code = poster["code"].as_str().expect("a code");
        assert_eq!(app.nobody().get(&format!("/q/{code}")).await.status, 302, "paper cannot be paused");
        let scan = app.all("impressions").await.remove(0);
        let referral = app.a_referral_from(&scan).await;
        app.an_earning_of(&referral).await;
    }
}
