//! Erasing somebody: nothing personal is left anywhere, and everything still adds up.

use handbill::db::DbConnection;
use handbill::encryption::EncryptionKeys;
use handbill::erasures::erase::{empty, erase as erase_now, traces};
use handbill::erasures::person::Person;
use handbill::events::number::number_new;
use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};

use crate::command_line::{handbill, json, sentence};
use crate::support::money::id;
use crate::support::{TestApp, on_both};
use crate::tour::{CUSTOMER, PERSON, PHONE, SETTINGS, STUDENT, a_tour, where_is};

fn verified(app: &TestApp) {
    let output = handbill(&app.database.url, &["verify"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

async fn money(app: &TestApp) -> Vec<Value> {
    let mut all = app.all_of("ledger/transfers", "transfers").await;
    for earning in app.all("earnings").await {
        all.push(json!([
            earning["id"],
            earning["amount"],
            earning["status"],
            earning["currency"]
        ]));
    }
    all
}

pub async fn erase(app: &TestApp, path: &str) -> Value {
    app.send(Method::DELETE, path, &[], None::<String>)
        .await
        .ok()
}

on_both! {
    with SETTINGS =>
    async fn of_an_erased_person_nothing_is_left_and_everything_adds_up(app: &TestApp) {
        let (referral, student, signup) = a_tour(app).await;
        let everywhere = where_is(app, PERSON);
        assert!(everywhere.len() > 15, "{everywhere:?}");
        let before = money(app).await;
        let path = format!("/api/v1/referrals/{}", id(&referral));
        let erased = erase(app, &format!("{path}/personal-data")).await;
        assert_eq!(erased["id"], referral["id"]);
        assert_eq!(where_is(app, PERSON), Vec::<String>::new());
        assert_eq!(where_is(app, "203.0.113.77"), Vec::<String>::new());
        assert!(!where_is(app, STUDENT).is_empty(), "nobody else is erased");
        verified(app);
        assert_eq!(money(app).await, before);
        // What is left is an answer like any other.
        let left = app.get(&path).await.ok();
        assert_eq!((&left["first_name"], &left["email"]), (&json!("Erased"), &json!("erased@erased.invalid")));
        assert_eq!((&left["external_id"], &left["profile_picture"], &left["metadata"]), (&json!(null), &json!(null), &json!({})));
        assert_eq!((&left["status"], &left["program_id"]), (&json!("verified"), &referral["program_id"]));
        // Keys go on making nothing twice, whoever they come with.
        let again = app.post("/api/v1/referrals", signup).await;
        assert!(again.is_replay());
        assert_eq!(again.ok(), left);
        // Nobody is found by what was erased, nor by what stands in its place.
        for email in ["refcanary@example.com", "erased@erased.invalid"] {
            let order = json!({ "email": email, "order_id": email, "amount": 1 });
            app.post("/api/v1/conversions", order).await.refused_with(400);
        }
        // Asked again, it is the same answer; it was done once.
        app.wait(60);
        assert_eq!(erase(app, &format!("{path}/personal-data")).await, erased);
        let told: Vec<Value> = app.all("events").await;
        let told: Vec<&Value> = told.iter().filter(|event| event["type"] == "referral.erased").collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["data"], json!({ "id": referral["id"] }));

        let path = format!("/api/v1/users/{}", id(&student));
        erase(app, &format!("{path}/personal-data")).await;
        assert_eq!(where_is(app, STUDENT), Vec::<String>::new());
        assert_eq!(app.get(&path).await.ok()["last_name"], "Erased");
        verified(app);
        assert_eq!(money(app).await, before);
        let acts = app.get("/api/v1/audit-log?action=user.erased").await.ok();
        assert_eq!(acts["acts"][0]["object_id"], student["id"]);
    }

    async fn a_customer_is_erased_with_the_signup_and_the_record_of_those_they_brought(app: &TestApp) {
        a_tour(app).await;
        app.a_program_for_customers(json!({}), json!({ "type": "points", "amount": 100 })).await;
        let customers = app.all("customers").await;
        let first = customers.iter().find(|customer| customer["name"] == CUSTOMER).expect("the customer");
        let path = format!("/api/v1/customers/{}", id(first));
        let link = app.post(&format!("{path}/invitation"), json!({})).await.ok();
        let scan = app.follows(&link).await;
        app.wait(1);
        let friend = json!({
            "impression_id": scan, "first_name": "custcanary", "last_name": "B", "email": "friend@custcanary.example.com",
        });
        let signup = app.post("/api/v1/referrals", friend).await.ok();
        let friend = app.introduction(&signup).await["referred_id"].as_str().expect("a customer").to_owned();
        deliver_due(&app.app).await.expect("a round");
        assert!(where_is(app, CUSTOMER).len() > 8, "{:?}", where_is(app, CUSTOMER));
        erase(app, &format!("{path}/personal-data")).await;
        erase(app, &format!("/api/v1/customers/{friend}/personal-data")).await;
        assert_eq!(where_is(app, CUSTOMER), Vec::<String>::new());
        assert_eq!(where_is(app, PHONE), Vec::<String>::new());
        assert_eq!(app.get(&path).await.ok()["email"], "erased@erased.invalid");
        assert_eq!(app.get(&format!("/api/v1/referrals/{}", id(&signup))).await.ok()["first_name"], "Erased");
        verified(app);
        // Somebody else can be erased too, and the address is free for somebody new.
        let body = json!({ "email": "custcanary@example.com" });
        let again = app.post("/api/v1/customers", body).await.ok();
        assert_ne!(again["id"], first["id"]);
        erase(app, &format!("/api/v1/customers/{}/personal-data", id(&again))).await;
    }

    async fn however_much_was_said_about_somebody_all_of_it_goes(app: &TestApp) {
        let (referral, student, _) = a_tour(app).await;
        let path = format!("/api/v1/referrals/{}", id(&referral));
        // More than are emptied in one write.
        for turn in 0..130 {
            app.put(&path, json!({ "metadata": { "refcanary": turn } })).await.ok();
        }
        erase(app, &format!("{path}/personal-data")).await;
        assert_eq!(where_is(app, PERSON), Vec::<String>::new());
        let kept = app.get(&path).await.ok();
        app.wait(60);
        erase(app, &format!("{path}/personal-data")).await;
        assert_eq!(app.get(&path).await.ok(), kept, "what is gone does not change again");
        for turn in 0..210 {
            let bonus = json!({ "referral_id": referral["id"], "amount": 1, "description": format!("for usercanary {turn}") });
            app.post("/api/v1/earnings", bonus).await.ok();
        }
        erase(app, &format!("/api/v1/users/{}/personal-data", id(&student))).await;
        assert_eq!(where_is(app, STUDENT), Vec::<String>::new());
        verified(app);
    }

    async fn what_is_said_between_the_look_and_the_erasure_goes_too(app: &TestApp) {
        let (referral, _, _) = a_tour(app).await;
        let account = app.database.account_named("default");
        let person = Person::named(id(&referral)).expect("somebody");
        let (owner, whom) = (account, person.clone());
        number_new(&app.app.db, &account).await.expect("numbers");
        let look = move |conn: &mut DbConnection| traces(conn, &owner, &whom, 0);
        let found = app.app.db.read_at_length(look).await.expect("a look");
        assert!(!found.events.is_empty());
        let (owner, gone) = (account, i64::MAX);
        let events = [&found.events[..], &[gone]].concat();
        // One that has come to its end since the look is no obstacle.
        app.app.db.write(move |conn, _| empty(conn, &owner, &events)).await.expect("a step");
        app.wait(60);
        let late = json!({ "last_name": "refcanary again" });
        app.put(&format!("/api/v1/referrals/{}", id(&referral)), late).await.ok();
        let keys = EncryptionKeys::default();
        let last = move |conn: &mut DbConnection, now| erase_now(conn, &account, None, &person, found.reached, (&keys, now));
        app.app.db.write(last).await.expect("an erasure");
        assert_eq!(where_is(app, PERSON), Vec::<String>::new());
    }

    async fn who_signs_up_again_is_somebody_new(app: &TestApp) {
        let (referral, _, mut signup) = a_tour(app).await;
        erase(app, &format!("/api/v1/referrals/{}/personal-data", id(&referral))).await;
        signup["idempotency_key"] = json!("signup 2");
        app.wait(1);
        let second = app.post("/api/v1/referrals", signup).await.ok();
        assert_ne!(second["id"], referral["id"]);
        assert_eq!(second["first_name"], "refcanary A");
        let order = json!({ "email": "refcanary@example.com", "order_id": "order 2", "amount": 500 });
        assert_eq!(app.post("/api/v1/conversions", order).await.ok()["referral_id"], second["id"]);
    }

    async fn a_stranger_erases_nobody(app: &TestApp) {
        let (referral, student, _) = a_tour(app).await;
        let stranger = app.stranger().await;
        for path in [format!("referrals/{}", id(&referral)), format!("users/{}", id(&student)), "referrals/ref_unknown".to_owned()] {
            let path = format!("/api/v1/{path}/personal-data");
            stranger.send(Method::DELETE, &path, &[], None::<String>).await.refused_with(404);
        }
        assert_eq!(app.get(&format!("/api/v1/referrals/{}", id(&referral))).await.ok()["first_name"], "refcanary A");
    }

    async fn the_command_line_erases_too(app: &TestApp) {
        let (referral, student, _) = a_tour(app).await;
        let url = &app.database.url;
        let said = json(&handbill(url, &["erase", "--referral", id(&referral), "--json"]));
        assert_eq!(said["id"], referral["id"]);
        assert!(handbill(url, &["erase", "--user", id(&student)]).status.success());
        assert_eq!(where_is(app, PERSON), Vec::<String>::new());
        assert_eq!(where_is(app, STUDENT), Vec::<String>::new());
        assert_eq!(sentence(&handbill(url, &["erase", "--user", "user_unknown"])), "handbill: User not found");
        assert_eq!(handbill(url, &["erase"]).status.code(), Some(2));
        let acts = app.get(&format!("/api/v1/audit-log?object_id={}", id(&student))).await.ok();
        assert_eq!(acts["acts"][1]["by"], Value::Null, "{acts}");
    }
}
