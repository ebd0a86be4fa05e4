//! `/api/v1/users`: the ambassadors.

use serde_json::json;

use crate::support::on_both;

on_both! {
    async fn a_user_has_exactly_the_published_keys(app: &TestApp) {
        let program = app.a_program().await;
        let body = json!({
            "program_id": program["id"], "first_name": "Maya", "last_name": "Example", "email": "Maya@uni.example",
            "profile_picture": "https://cdn.example/p/maya.jpg", "metadata": { "student_id": "STU-88", "major": "Biology" },
        });
        let user = app.post("/api/v1/users", body).await.ok();
        assert_eq!(user, json!({
            "id": user["id"], "first_name": "Maya", "last_name": "Example", "email": "Maya@uni.example",
            "program_id": program["id"], "profile_picture": "https://cdn.example/p/maya.jpg",
            "created_at": "2024-03-01T09:00:00Z", "updated_at": "2024-03-01T09:00:00Z",
            "metadata": { "student_id": "STU-88", "major": "Biology" },
        }));
        assert!(user["id"].as_str().is_some_and(|id| id.starts_with("user_")));
        let path = format!("/api/v1/users/{}", user["id"].as_str().expect("an id"));
        assert_eq!(app.get(&path).await.ok(), user);
        assert_eq!(app.all("users").await, vec![user]);
    }

    async fn absent_and_null_optional_fields_are_the_same(app: &TestApp) {
        let program = app.a_program().await;
        let body = json!({
            "program_id": program["id"], "first_name": "A", "last_name": "B", "email": "a@b.example",
            "profile_picture": null, "metadata": null, "idempotency_key": null, "userId": "unknown fields are ignored",
        });
        let user = app.post("/api/v1/users", body).await.ok();
        assert_eq!(user["profile_picture"], json!(null));
        assert_eq!(user["metadata"], json!({}));
        assert!(user.get("userId").is_none());
    }

    async fn users_are_filtered_by_program_in_both_spellings(app: &TestApp) {
        let (one, two) = (app.a_program().await, app.a_program().await);
        let user = app.a_student_of(&one).await;
        app.a_student_of(&two).await;
        let id = one["id"].as_str().expect("an id");
        for query in [format!("programId={id}"), format!("program_id={id}"), format!("program_id=x&programId={id}")] {
            assert_eq!(app.get(&format!("/api/v1/users?{query}")).await.ok()["users"], json!([user]), "{query}");
        }
        for unknown in ["undefined", "prog_unknown", "", "%00", "'%20OR%201=1--", "%F0%9F%92%A9"] {
            let answer = app.get(&format!("/api/v1/users?programId={unknown}")).await.ok();
            assert_eq!(answer["users"], json!([]), "{unknown}");
        }
    }

    async fn a_user_can_be_corrected(app: &TestApp) {
        let program = app.a_program().await;
        let user = app.a_student_of(&program).await;
        let path = format!("/api/v1/users/{}", user["id"].as_str().expect("an id"));
        app.wait(5);
        let changes = json!({
            "first_name": "Dave", "email": "dave@example.com", "profile_picture": "http://cdn.example/d.png",
            "metadata": { "year": "Senior" }, "program_id": "prog_other", "created_at": "1999-01-01T00:00:00Z",
        });
        let changed = app.put(&path, changes).await.ok();
        assert_eq!(changed["first_name"], "Dave");
        assert_eq!(changed["last_name"], user["last_name"]);
        assert_eq!(changed["program_id"], user["program_id"], "read-only fields are ignored");
        assert_eq!(changed["created_at"], user["created_at"]);
        assert_eq!(changed["updated_at"], "2024-03-01T09:00:05Z");
        let changed = app.put(&path, json!({ "profile_picture": null, "last_name": null })).await.ok();
        assert_eq!(changed["profile_picture"], json!(null), "null empties what may be empty");
        assert_eq!(changed["last_name"], user["last_name"], "and is nothing elsewhere");
        app.put(&path, json!({ "email": "nobody" })).await.refused(400, "email must be a valid e-mail address");
        app.put("/api/v1/users/user_unknown", json!({})).await.refused(404, "User not found");
    }

    async fn a_user_needs_a_program_that_exists(app: &TestApp) {
        let body = json!({ "program_id": "prog_unknown", "first_name": "A", "last_name": "B", "email": "a@b.example" });
        app.post("/api/v1/users", body).await.refused(400, "Invalid program_id: no such program");
        app.post("/api/v1/users", json!({})).await.refused(400, "Missing required field: program_id");
    }
}
