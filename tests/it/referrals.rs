//! `/api/v1/referrals`.

use serde_json::{Value, json};

use crate::support::{a_signup, on_both};

fn path_of(referral: &Value) -> String {
    format!(
        "/api/v1/referrals/{}",
        referral["id"].as_str().expect("an id")
    )
}

on_both! {
    async fn a_referral_has_exactly_the_published_keys(app: &TestApp) {
        let scan = app.a_scan().await;
        let body = json!({
            "impression_id": scan["id"], "first_name": " John ", "last_name": "Doe", "email": "John.Doe@Example.com",
            "profile_picture": "https://example.com/profiles/john-doe.jpg",
            "metadata": { "source": "poster_qr_code", "location": "campus_center" },
            "status": "verified", "student_id": "user_other", "id": "ref_mine",
        });
        let referral = app.post("/api/v1/referrals", body).await.ok();
        assert_eq!(referral, json!({
            "id": referral["id"], "impression_id": scan["id"], "first_name": "John", "last_name": "Doe",
            "email": "John.Doe@Example.com", "profile_picture": "https://example.com/profiles/john-doe.jpg",
            "status": "pending", "program_id": scan["program_id"], "student_id": scan["student_id"],
            "created_at": "2024-03-01T09:00:00Z", "verified_at": null, "updated_at": "2024-03-01T09:00:00Z",
            "metadata": { "source": "poster_qr_code", "location": "campus_center" },
        }));
        assert_eq!(app.get(&path_of(&referral)).await.ok(), referral);
        assert_eq!(app.all("referrals").await, vec![referral]);
    }

    async fn missing_fields_are_named_in_the_documents_order(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut body = json!({});
        for (field, value) in [
            ("impression_id", scan["id"].clone()), ("first_name", json!("A")), ("last_name", json!("B")),
            ("email", json!("a@b.example")),
        ] {
            let message = format!("Missing required field: {field}");
            let refused = app.post("/api/v1/referrals", body.clone()).await.refused(400, &message);
            assert_eq!(refused["errors"][0]["field"], field);
            assert_eq!(refused["errors"][0]["code"], "missing");
            body[field] = json!(null);
            app.post("/api/v1/referrals", body.clone()).await.refused(400, &message);
            body[field] = value;
        }
        app.post("/api/v1/referrals", body).await.ok();
    }

    async fn an_unknown_impression_is_a_400_and_stores_nothing(app: &TestApp) {
        for id in ["imp_unknown", "", "x\u{7f}", "ref_123abc", &"i".repeat(300)] {
            let body = a_signup(&json!({ "id": id }));
            let refused = app.post("/api/v1/referrals", body).await
                .refused(400, "Invalid impression_id: no such impression");
            assert_eq!(refused["errors"][0]["field"], "impression_id");
        }
        assert!(app.all("referrals").await.is_empty());
    }

    async fn one_impression_may_lead_to_several_signups(app: &TestApp) {
        let scan = app.a_scan().await;
        let (one, two) = (app.a_referral_from(&scan).await, app.a_referral_from(&scan).await);
        assert_ne!(one["id"], two["id"]);
        assert_eq!(app.all("referrals").await.len(), 2);
    }

    async fn referrals_are_filtered_and_the_filters_combine(app: &TestApp) {
        let (one, two) = (app.a_scan().await, app.a_scan().await);
        let first = app.a_referral_from(&one).await;
        let second = app.a_referral_from(&two).await;
        let second = app.put(&path_of(&second), json!({ "status": "converted" })).await.ok();
        let third = app.a_referral_from(&two).await;
        let get = async |query: &str| app.get(&format!("/api/v1/referrals?{query}")).await.ok()["referrals"].clone();
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let (program, student) = (text(&two["program_id"]), text(&two["student_id"]));
        assert_eq!(get("").await, json!([first, second, third]));
        assert_eq!(get(&format!("programId={program}")).await, json!([second, third]));
        assert_eq!(get(&format!("studentId={student}")).await, json!([second, third]));
        assert_eq!(get("status=converted").await, json!([second]));
        assert_eq!(get(&format!("program_id={program}&student_id={student}&status=pending")).await, json!([third]));
        assert_eq!(get(&format!("programId={program}&studentId={}", text(&one["student_id"]))).await, json!([]));
        assert_eq!(get("programId=undefined&status=pending").await, json!([]));
        let message = "status must be one of pending, converted, verified, rejected";
        for bad in ["status=Pending", "status=", "status=unknown", "status=pending%00"] {
            app.get(&format!("/api/v1/referrals?{bad}")).await.refused(400, message);
        }
    }

    async fn a_status_moves_only_as_the_table_says(app: &TestApp) {
        let statuses = ["pending", "converted", "verified", "rejected"];
        let allowed = |from: &str| match from {
            "pending" => vec!["converted", "verified", "rejected"],
            "converted" => vec!["verified", "rejected"],
            "verified" => vec!["converted", "rejected"],
            _ => vec!["pending"],
        };
        let scan = app.a_scan().await;
        for from in statuses {
            for to in statuses {
                let referral = app.a_referral_from(&scan).await;
                let path = path_of(&referral);
                if from != "pending" {
                    app.put(&path, json!({ "status": from })).await.ok();
                }
                let before = app.get(&path).await.ok();
                app.wait(1);
                let answer = app.put(&path, json!({ "status": to })).await;
                if from == to {
                    assert_eq!(answer.ok(), before, "the same status again changes nothing");
                } else if allowed(from).contains(&to) {
                    assert_eq!(answer.ok()["status"], to);
                } else {
                    let message = format!("The referral is {from} and cannot become {to}; it can become {}", allowed(from).join(", "));
                    let refused = answer.refused(409, &message);
                    assert_eq!(refused["code"], "forbidden_transition");
                    assert_eq!(app.get(&path).await.ok(), before, "nothing changed");
                }
            }
        }
    }

    async fn verified_at_is_the_callers_or_now_and_stays(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = path_of(&referral);
        let put = async |body: Value| app.put(&path, body).await.ok()["verified_at"].clone();
        assert_eq!(put(json!({ "status": "verified", "verified_at": "2024-01-16T15:20:00.9+01:00" })).await, "2024-01-16T14:20:00Z");
        assert_eq!(put(json!({ "status": "converted" })).await, "2024-01-16T14:20:00Z", "other moves leave it");
        app.wait(60);
        assert_eq!(put(json!({ "status": "verified" })).await, "2024-03-01T09:01:00Z", "entering again is a new time");
        app.wait(60);
        assert_eq!(put(json!({ "status": "verified" })).await, "2024-03-01T09:01:00Z");
        assert_eq!(put(json!({ "status": "rejected" })).await, "2024-03-01T09:01:00Z");
        assert_eq!(put(json!({ "status": "pending" })).await, json!(null), "a rejection taken back starts afresh");
        app.put(&path, json!({ "status": "verified", "verified_at": "soon" })).await.refused_with(400);
        assert_eq!(app.get(&path).await.ok()["status"], "pending");
    }

    async fn verified_at_may_be_said_before_the_status(app: &TestApp) {
        let path = path_of(&app.a_referral().await);
        let said = app.put(&path, json!({ "verified_at": "2024-01-16T14:20:00Z" })).await.ok();
        assert_eq!((&said["status"], &said["verified_at"]), (&json!("pending"), &json!("2024-01-16T14:20:00Z")));
        let verified = app.put(&path, json!({ "status": "verified" })).await.ok();
        assert_eq!(verified["verified_at"], "2024-01-16T14:20:00Z");
    }

    async fn every_move_leaves_a_row_in_the_history(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = path_of(&referral);
        let history = async || app.get(&format!("{path}/history")).await.ok()["history"].clone();
        assert_eq!(history().await, json!([]));
        app.put(&path, json!({ "status": "rejected", "note": "no such student" })).await.ok();
        app.put(&path, json!({ "status": "rejected", "note": "again" })).await.ok();
        app.put(&path, json!({ "status": "converted" })).await.refused_with(409);
        app.put(&path, json!({ "first_name": "Jane" })).await.ok();
        app.wait(1);
        app.put(&path, json!({ "status": "pending" })).await.ok();
        let moves = history().await;
        let by = moves[0]["by"].as_str().expect("a key").to_owned();
        assert!(by.starts_with("key_"));
        assert_eq!(moves, json!([
            { "from": "pending", "to": "rejected", "at": "2024-03-01T09:00:00Z", "by": by, "note": "no such student" },
            { "from": "rejected", "to": "pending", "at": "2024-03-01T09:00:01Z", "by": by, "note": null },
        ]));
        app.get("/api/v1/referrals/ref_unknown/history").await.refused(404, "Referral not found");
    }

    async fn an_update_is_partial_and_ignores_what_is_not_its_own(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = path_of(&referral);
        app.wait(10);
        assert_eq!(app.put(&path, json!({})).await.ok(), referral);
        assert_eq!(app.put(&path, referral.clone()).await.ok(), referral, "what was read can be sent back");
        let changes = json!({
            "last_name": "Roe", "email": "roe@example.com", "id": "ref_x", "impression_id": "imp_x",
            "program_id": "prog_x", "student_id": "user_x", "created_at": "2000-01-01T00:00:00Z",
        });
        let changed = app.put(&path, changes).await.ok();
        let mut expected = referral.clone();
        expected["last_name"] = json!("Roe");
        expected["email"] = json!("roe@example.com");
        expected["updated_at"] = json!("2024-03-01T09:00:10Z");
        assert_eq!(changed, expected);
    }

    async fn a_verified_referral_can_be_sent_back_as_it_was_read(app: &TestApp) {
        let path = path_of(&app.a_referral().await);
        let verified = app.put(&path, json!({ "status": "verified" })).await.ok();
        app.wait(10);
        assert_eq!(app.put(&path, verified.clone()).await.ok(), verified, "nothing changed");
        let moved = json!({ "verified_at": "2024-03-01T09:00:01Z" });
        assert_eq!(app.put(&path, moved).await.ok()["verified_at"], "2024-03-01T09:00:01Z");
    }

    async fn metadata_merges_key_by_key_and_null_removes(app: &TestApp) {
        let referral = app.a_referral().await;
        let path = path_of(&referral);
        let put = async |body: Value| app.put(&path, json!({ "metadata": body })).await.ok()["metadata"].clone();
        assert_eq!(put(json!({ "a": { "x": 1 }, "b": [1, null] })).await,
            json!({ "source": "poster_qr_code", "a": { "x": 1 }, "b": [1, null] }));
        assert_eq!(put(json!({ "a": { "y": 2 }, "source": null, "gone": null })).await, json!({ "a": { "y": 2 }, "b": [1, null] }));
        app.put(&path, json!({ "metadata": "text" })).await.refused(400, "metadata must be an object");
        let large = json!({ "metadata": { "c": "x".repeat(16_380) } });
        app.put(&path, large).await.refused(400, "metadata must be at most 16384 bytes of JSON");
        assert_eq!(put(json!({})).await, json!({ "a": { "y": 2 }, "b": [1, null] }));
    }

    async fn what_is_not_there_is_said_before_what_is_wrong(app: &TestApp) {
        for body in [json!({ "status": "x" }), json!([]), json!({ "email": 5 })] {
            app.put("/api/v1/referrals/ref_unknown", body).await.refused(404, "Referral not found");
        }
        for id in ["ref_unknown", "%00", "..%2f..", "ref_%F0%9F%92%A9", &"r".repeat(100)] {
            app.get(&format!("/api/v1/referrals/{id}")).await.refused(404, "Referral not found");
        }
    }
}

on_both! {
    with [("HANDBILL_METADATA_UPDATE", "replace")] =>
    async fn metadata_can_be_configured_to_be_replaced(app: &TestApp) {
        let referral = app.a_referral().await;
        let changed = app
            .put(&path_of(&referral), json!({ "metadata": { "b": null } }))
            .await
            .ok();
        assert_eq!(changed["metadata"], json!({ "b": null }));
    }
}
