//! Restricted and publishable keys: what each opens, and nothing else.

use futures_util::future::join_all;
use handbill::api_keys::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::dump::dump;
use crate::support::everything::{one_of_each, unknown};
use crate::support::operations::{Position, Things, operations};
use crate::support::{Caller, TestApp, a_signup, on_both};

/// Somebody with a key that was made with this.
pub async fn holder(app: &TestApp, key: Value) -> Caller {
    let made = app.post("/api/v1/keys", key).await.ok();
    let secret = made["key"].as_str().expect("a secret").to_owned();
    Caller::new(&app.base, Some(secret))
}

pub async fn restricted(
    app: &TestApp,
    scopes: &[String],
    program: Option<&str>,
    student: Option<&str>,
) -> Caller {
    let key = json!({
        "name": "A part", "kind": "restricted", "scopes": scopes, "program_id": program, "student_id": student,
    });
    holder(app, key).await
}

pub fn grantable() -> Vec<String> {
    Scope::all()
        .filter(|scope| scope.can_be_granted())
        .map(|scope| scope.to_string())
        .collect()
}

on_both! {
    async fn every_operation_needs_the_scope_that_the_document_names(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        let scopes = grantable();
        let public = holder(app, json!({ "name": "Page", "kind": "publishable" })).await;
        for operation in operations() {
            let name = &operation.name;
            let others: Vec<String> = scopes.iter().filter(|scope| **scope != operation.scope).cloned().collect();
            let without = restricted(app, &others, None, None).await;
            let refused = operation.send(&without, &own, None).await;
            let refusal = refused.refused_with(403);
            assert_eq!(refusal["code"], "insufficient_scope", "{name}");
            if scopes.contains(&operation.scope) {
                assert!(refusal["message"].as_str().is_some_and(|text| text.contains(&operation.scope)), "{name}: {refusal}");
                let with = restricted(app, std::slice::from_ref(&operation.scope), None, None).await;
                let answer = operation.send(&with, &own, None).await;
                assert!(![401, 403].contains(&answer.status), "{name}: {}", answer.text());
            } else {
                let with = restricted(app, &scopes, None, None).await;
                operation.send(&with, &own, None).await.refused_with(403);
            }
            let answer = operation.send(&public, &own, None).await;
            assert_eq!(answer.status == 403, operation.scope != "public:read", "{name}");
        }
    }

    async fn a_path_is_the_same_however_it_is_spelt(app: &TestApp) {
        let reader = restricted(app, &["programs:read".to_owned()], None, None).await;
        app.a_program().await;
        assert_eq!(reader.get("/%61pi/v1/%70rograms").await.ok(), reader.get("/api/v1/programs").await.ok());
        reader.get("/%61pi/v1/%75sers").await.refused_with(403);
        reader.get("/api/v1/nothing").await.refused_with(404);
        let key = app.key.clone().expect("a key");
        let headers = [("authorization", ""), ("x-api-key", &*key)];
        let vinr = app.send(Method::GET, "/%76%31/nothing", &headers, None::<String>).await;
        assert_eq!((vinr.status, &vinr.json()["error"]["code"]), (404, &json!("resource_missing")));
    }

    /// Every operation in the document, every place for an id in it, with keys that are bound to another program and
    /// to another ambassador.
    async fn a_bound_key_finds_and_changes_nothing_outside_its_bounds(app: &TestApp) {
        let theirs = one_of_each(app, "canaryword").await;
        let own = one_of_each(app, "harmless").await;
        let colleague = colleague_of(app, &own).await;
        let account = app.database.account_named("default");
        let to_program = restricted(app, &grantable(), Some(&own["prog"]), None).await;
        let to_ambassador = restricted(app, &grantable(), None, Some(&own["user"])).await;
        let before = dump(&mut app.database.connect(), account);
        for (holder, others) in [(&to_program, vec![(&theirs, "canaryword")]), (&to_ambassador, vec![(&theirs, "canaryword"), (&colleague, "neighbour")])] {
            for (theirs, word) in others {
                for operation in operations() {
                    for (position, kind) in operation.positions() {
                        let Some(their) = theirs.get(kind) else { continue };
                        let name = format!("{} {position:?}", operation.name);
                        let none = unknown(their);
                        let answer = operation.send(holder, &own, Some((&position, their))).await;
                        let nothing = operation.send(holder, &own, Some((&position, &none))).await;
                        let allowed: &[u16] = match position {
                            Position::Path(_) => &[403, 404],
                            Position::Query(_) => &[200, 403],
                            Position::Body(_) => &[400, 403],
                        };
                        assert!(allowed.contains(&answer.status), "{name}: {}", answer.text());
                        assert_eq!(answer.status, nothing.status, "{name}");
                        assert_clean(&name, &answer.text().replace(&**their, ""), theirs, word);
                    }
                    if operation.method == Method::GET {
                        let answer = operation.send(holder, &own, None).await;
                        assert_clean(&operation.name, &answer.text(), theirs, word);
                    }
                }
            }
        }
        assert_eq!(dump(&mut app.database.connect(), account), before);
    }

    async fn a_bound_key_does_its_work_within_its_bounds(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        one_of_each(app, "other").await;
        let colleague = colleague_of(app, &own).await;
        let key = restricted(app, &grantable(), Some(&own["prog"]), None).await;
        for (list, count) in [("programs", 1), ("users", 2), ("posters", 2), ("impressions", 1), ("referrals", 1), ("earnings", 2), ("conversions", 1), ("payouts", 1)] {
            assert_eq!(key.all(list).await.len(), count, "{list}");
        }
        assert_eq!(key.get("/api/v1/stats").await.ok()["scans"], 1);
        let enrolled = key.a_student_of(&json!({ "id": own["prog"] })).await;
        let poster = key.a_poster_of(&enrolled).await;
        let referral = key.a_referral_from(&key.a_scan_of(&poster).await).await;
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        assert_eq!(key.put(&path, json!({ "status": "verified" })).await.ok()["status"], "verified");

        let key = restricted(app, &grantable(), None, Some(&own["user"])).await;
        for (list, count) in [("programs", 1), ("users", 1), ("posters", 1), ("impressions", 1), ("referrals", 1), ("earnings", 2), ("conversions", 1), ("payouts", 1)] {
            assert_eq!(key.all(list).await.len(), count, "{list}");
        }
        assert_eq!(key.get("/api/v1/stats").await.ok()["scans"], 1);
        let balance = key.get(&format!("/api/v1/ledger/balance?student_id={}", own["user"])).await.ok();
        assert_eq!(balance["balances"].as_array().map(Vec::len), Some(1));
        let balance = key.get(&format!("/api/v1/ledger/balance?student_id={}", colleague["user"])).await.ok();
        assert_eq!(balance["balances"], json!([]));
        key.a_poster_of(&json!({ "id": own["user"] })).await;
        // Names may be put right; what moves the ambassador's money is for others to say.
        let referral = key.all("referrals").await.remove(0);
        let path = format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id"));
        key.put(&path, json!({ "first_name": "Ann" })).await.ok();
        for body in [json!({ "status": "rejected" }), json!({ "verified_at": "2024-01-01T00:00:00Z" })] {
            key.put(&path, body).await.refused_with(403);
        }
        let kept = key.get(&path).await.ok();
        assert_eq!(kept["status"], referral["status"], "nothing of it was written");
        assert_eq!(key.put(&path, kept.clone()).await.ok(), kept, "what was read may be sent back");
        // Its program is to be read, and not to be changed.
        key.get(&format!("/api/v1/programs/{}", own["prog"])).await.ok();
        key.put(&format!("/api/v1/programs/{}", own["prog"]), json!({ "name": "Mine" })).await.refused_with(403);
        let person = json!({ "program_id": own["prog"], "first_name": "A", "last_name": "B", "email": "a@b.example" });
        key.post("/api/v1/users", person).await.refused(400, "Invalid program_id: no such program");
    }

    async fn a_bound_key_learns_nothing_from_the_idempotency_keys_of_others(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        let bound = restricted(app, &grantable(), Some(&own["prog"]), None).await;
        let scan = app.a_scan().await;
        let mut person = a_signup(&scan);
        person["idempotency_key"] = json!("theirs");
        let referral = app.post("/api/v1/referrals", person.clone()).await.ok();
        let path = format!("/api/v1/referrals/{}/personal-data", referral["id"].as_str().expect("an id"));
        app.send(Method::DELETE, &path, &[], None::<String>).await.ok();
        // Whoever may see it gets what is left, whatever comes with the key.
        person["impression_id"] = bound.all("impressions").await[0]["id"].clone();
        assert_eq!(app.post("/api/v1/referrals", person.clone()).await.ok()["id"], referral["id"]);
        let refused = bound.post("/api/v1/referrals", person).await.refused_with(409);
        assert_eq!(refused["code"], "idempotency_key_reused");
    }

    async fn a_key_is_made_shown_once_rotated_and_ended(app: &TestApp) {
        let body = json!({ "name": "Dashboard", "kind": "restricted", "scopes": ["users:read", "programs:read", "users:read"] });
        let made = app.post("/api/v1/keys", body).await.ok();
        assert_eq!(made["scopes"], json!(["programs:read", "users:read"]));
        let secret = made["key"].as_str().expect("a secret");
        assert!(secret.starts_with("rk_") && secret.ends_with(made["hint"].as_str().expect("a hint")));
        let path = format!("/api/v1/keys/{}", made["id"].as_str().expect("an id"));
        let shown = app.get(&path).await.ok();
        assert!(shown.get("key").is_none(), "{shown}");
        assert!(app.all("keys").await.contains(&shown));
        let old = Caller::new(&app.base, Some(secret.to_owned()));
        old.get("/api/v1/users").await.ok();

        let rotated = app.post(&format!("{path}:rotate"), json!({ "overlap_hours": 1 })).await.ok();
        let new = Caller::new(&app.base, rotated["key"].as_str().map(str::to_owned));
        assert_eq!(rotated["scopes"], made["scopes"]);
        new.get("/api/v1/users").await.ok();
        old.get("/api/v1/users").await.ok();
        new.get("/api/v1/posters").await.refused_with(403);
        assert_eq!(app.get(&path).await.ok()["expires_at"], "2024-03-01T10:00:00Z");
        app.wait(3600);
        old.get("/api/v1/users").await.refused_with(401);
        new.get("/api/v1/users").await.ok();
        let again = app.post(&format!("{path}:rotate"), json!({})).await.refused_with(409);
        assert_eq!(again["code"], "key_ended");

        let path = format!("/api/v1/keys/{}", rotated["id"].as_str().expect("an id"));
        for _ in 0..2 {
            assert_eq!(app.send(Method::DELETE, &path, &[], None::<String>).await.status, 204);
        }
        new.get("/api/v1/users").await.refused_with(401);
        assert!(app.get(&path).await.ok()["revoked_at"].is_string());
        let ended = json!({ "name": "A", "kind": "secret", "expires_at": "2024-03-01T09:00:00Z" });
        app.post("/api/v1/keys", ended).await.refused(400, "expires_at must lie in the future");
    }

    async fn a_key_whose_answer_was_lost_is_found_again_without_its_secret(app: &TestApp) {
        let body = json!({
            "name": "Lost", "kind": "restricted", "scopes": ["users:read"], "expires_at": "2024-03-02T09:00:00Z", "idempotency_key": "lost",
        });
        app.post("/api/v1/keys", body.clone()).await.ok();
        let again = app.post("/api/v1/keys", body.clone()).await;
        assert!(again.is_replay() && again.ok().get("key").is_none(), "{}", again.text());
        // Whoever lost the secret rotates the key. That answer can be lost as well.
        let path = format!("/api/v1/keys/{}:rotate", again.ok()["id"].as_str().expect("an id"));
        let rotate = json!({ "overlap_hours": 1, "idempotency_key": "lost" });
        let rotated = app.post(&path, rotate.clone()).await;
        assert!(!rotated.is_replay(), "another operation has keys of its own");
        let holder = Caller::new(&app.base, rotated.ok()["key"].as_str().map(str::to_owned));
        holder.get("/api/v1/users").await.ok();
        app.wait(7200);
        let retried = app.post(&path, rotate).await;
        assert!(retried.is_replay(), "though the old key has ended by now: {}", retried.text());
        assert_eq!((&retried.ok()["id"], retried.ok().get("key")), (&rotated.ok()["id"], None));
        let other = app.post(&path, json!({ "overlap_hours": 2, "idempotency_key": "lost" })).await;
        assert_eq!(other.refused_with(409)["code"], "idempotency_key_reused");
        assert_eq!(app.all("keys").await.iter().filter(|key| key["name"] == "Lost").count(), 2);
        // The key as it is now, also when it has ended; what is long over is no other request.
        app.wait(86_400);
        let late = app.post("/api/v1/keys", body).await;
        assert!(late.is_replay());
        assert_eq!(late.ok()["expires_at"], "2024-03-01T10:00:00Z");
        let acts = app.get("/api/v1/audit-log?action=key.created").await.ok();
        assert_eq!(acts["acts"].as_array().map(Vec::len), Some(1));
    }

    async fn fifty_requests_for_a_key_with_one_idempotency_key_make_one(app: &TestApp) {
        let body = json!({ "name": "Fifty", "kind": "secret", "idempotency_key": "fifty" });
        let answers = join_all((0..50).map(|_| app.post("/api/v1/keys", body.clone()))).await;
        let (first, replays): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| !answer.is_replay());
        assert_eq!((first.len(), replays.len()), (1, 49));
        let mut made = first[0].ok();
        made.as_object_mut().expect("an object").remove("key").expect("the secret, once");
        assert!(replays.iter().all(|answer| answer.ok() == made));
    }

    async fn what_does_not_go_together_is_refused_with_a_sentence(app: &TestApp) {
        let own = one_of_each(app, "mine").await;
        let other = one_of_each(app, "other").await;
        let stranger = app.stranger().await;
        for (key, message) in [
            (json!({ "name": "A", "kind": "restricted" }), "Missing required field: scopes"),
            (json!({ "name": "A", "kind": "restricted", "scopes": [] }), "scopes must name at least one scope"),
            (json!({ "name": "A", "kind": "restricted", "scopes": ["keys:write"] }), "scopes must be scopes such as referrals:read, not 'keys:write'"),
            (json!({ "name": "A", "kind": "restricted", "scopes": "users:read" }), "scopes must be an array of strings"),
            (json!({ "name": "A", "kind": "secret", "scopes": ["users:read"] }), "scopes can only be given to a restricted key"),
            (json!({ "name": "A", "kind": "secret", "program_id": own["prog"] }), "program_id cannot be given with a secret key, which opens everything"),
            (json!({ "name": "A", "kind": "publishable", "program_id": "prog_unknown" }), "Invalid program_id: no such program"),
            (json!({ "name": "A", "kind": "publishable", "program_id": own["prog"], "student_id": other["user"] }), "Invalid student_id: no such user"),
            (json!({ "name": "A", "kind": "everything" }), "kind must be one of secret, restricted, publishable"),
        ] {
            app.post("/api/v1/keys", key).await.refused(400, message);
        }
        let theirs = json!({ "name": "A", "kind": "publishable", "student_id": own["user"] });
        stranger.post("/api/v1/keys", theirs).await.refused(400, "Invalid student_id: no such user");
    }
}

/// Another ambassador of the same program, with a poster and a canary.
pub async fn colleague_of(app: &TestApp, own: &Things) -> Things {
    let person = json!({
        "program_id": own["prog"], "first_name": "neighbour", "last_name": "neighbour", "email": "neighbour@example.net",
    });
    let user = app.post("/api/v1/users", person).await.ok();
    let poster = app.a_poster_of(&user).await;
    let id = |thing: &Value| thing["id"].as_str().expect("an id").to_owned();
    Things::from([("user", id(&user)), ("poster", id(&poster))])
}

pub fn assert_clean(name: &str, text: &str, theirs: &Things, word: &str) {
    assert!(!text.contains(word), "{name}: {text}");
    for id in theirs.values() {
        assert!(!text.contains(&**id), "{name}: {text}");
    }
}
