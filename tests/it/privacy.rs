//! Erasing somebody: nothing personal is left anywhere, and everything still adds up.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use handbill::db::DbConnection;
use handbill::db::rows::Shape;
use handbill::db::tables::TABLES;
use handbill::erasures::erase::{empty, erase as erase_now, traces};
use handbill::erasures::person::Person;
use handbill::ids::{AccountId, EventId, Id};
use handbill::webhooks::dispatch::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};

use crate::command_line::{handbill, json, sentence};
use crate::support::money::id;
use crate::support::receiver::{Receiver, Reply};
use crate::support::{Caller, Database, TestApp, on_both};

/// Stands in everything that is known about the person who signs up.
pub const PERSON: &str = "refcanary";
/// Stands in everything that is known about a customer, but for the telephone number.
pub const CUSTOMER: &str = "custcanary";
/// The telephone number.
pub const PHONE: &str = "+351910000077";
/// Stands in everything that is known about the ambassador.
pub const STUDENT: &str = "usercanary";

pub const SETTINGS: [(&str, &str); 2] = [
    ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
    ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
];

/// The columns that may hold something personal. Whoever adds one of these fills it in `a_tour`.
const PERSONAL: [(&str, &str); 42] = [
    ("customers", "email"),
    ("customers", "email_folded"),
    ("customers", "name"),
    ("customers", "phone"),
    ("customers", "external_id"),
    ("customers", "metadata"),
    ("customers", "idempotency_fingerprint"),
    ("ambassadors", "first_name"),
    ("ambassadors", "last_name"),
    ("ambassadors", "email"),
    ("ambassadors", "profile_picture"),
    ("ambassadors", "metadata"),
    ("impressions", "user_agent"),
    ("impressions", "ip_address"),
    ("impressions", "metadata"),
    ("referrals", "first_name"),
    ("referrals", "last_name"),
    ("referrals", "email"),
    ("referrals", "email_folded"),
    ("referrals", "profile_picture"),
    ("referrals", "external_id"),
    ("referrals", "metadata"),
    ("referral_moves", "note"),
    ("conversions", "metadata"),
    ("refunds", "reason"),
    ("refunds", "metadata"),
    ("earnings", "description"),
    ("earnings", "metadata"),
    ("earning_moves", "note"),
    ("payouts", "failure_reason"),
    ("payouts", "metadata"),
    ("payout_moves", "note"),
    ("events", "data"),
    ("webhook_deliveries", "excerpt"),
    ("replies", "body"),
    // Hashes of what is personal, among other things. They are held against their values before.
    ("ambassadors", "idempotency_fingerprint"),
    ("referrals", "idempotency_fingerprint"),
    ("impressions", "idempotency_fingerprint"),
    ("conversions", "idempotency_fingerprint"),
    ("replies", "fingerprint"),
    // What a receiver's answer was like, when there was none.
    ("webhook_deliveries", "last_error"),
    // The documents ask callers not to put anybody's name into it.
    ("referrals", "idempotency_key"),
];

/// The columns of text that hold nothing personal, in whatever table: ids, words of ours, what the company says about
/// itself.
const HARMLESS: [&str; 60] = [
    "replaces",
    "rotation_key",
    "time_zone",
    "dialect",
    "operation",
    "key",
    "customer_id",
    "referrer_id",
    "referred_id",
    "reward_unit",
    "coupon_code",
    "scopes",
    "id",
    "account_id",
    "program_id",
    "ambassador_id",
    "poster_id",
    "impression_id",
    "referral_id",
    "conversion_id",
    "earning_id",
    "payout_id",
    "collection_id",
    "endpoint_id",
    "event_id",
    "object_id",
    "order_id",
    "reference_id",
    "replaced_by",
    "whose",
    "up_to",
    "reached",
    "occasion",
    "moved_by",
    "created_by",
    "acted_by",
    "idempotency_key",
    "idempotency_fingerprint",
    "status",
    "from_status",
    "to_status",
    "previous_status",
    "kind",
    "reason",
    "origin",
    "action",
    "details",
    "currency",
    "debit",
    "credit",
    "code",
    "location",
    "landing_url",
    "rule",
    "steps",
    "types",
    "hash",
    "hint",
    "disabled_reason",
    "url",
];

/// The same, of one table only.
const HARMLESS_THERE: [(&str, &str); 16] = [
    ("programs", "audience"),
    ("programs", "coupon_prefix"),
    ("accounts", "name"),
    ("api_keys", "name"),
    ("programs", "name"),
    ("programs", "description"),
    ("programs", "payout_schedule"),
    ("programs", "payout_currency"),
    ("programs", "available_when"),
    ("programs", "converted_by"),
    ("posters", "metadata"),
    ("webhook_endpoints", "description"),
    ("webhook_endpoints", "secret"),
    ("webhook_endpoints", "old_secret"),
    ("transfers", "reason"),
    ("collections", "status"),
];

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// A person and an ambassador, with a canary in every field there is, and the request that signed the person up.
pub async fn a_tour_of(app: &Caller) -> (Value, Value, Value) {
    let program = app.a_program().await;
    let student = app.post("/api/v1/users", json!({
        "program_id": program["id"], "first_name": "usercanary A", "last_name": "usercanary B",
        "email": "usercanary@example.com", "profile_picture": "https://example.com/usercanary.png",
        "metadata": { "usercanary": "usercanary" }, "idempotency_key": "user 1",
    })).await.ok();
    let poster = app.a_poster_of(&student).await;
    let scan = app.post("/api/v1/impressions", json!({
        "poster_id": poster["id"], "user_agent": "refcanary/1.0", "ip_address": "203.0.113.77",
        "metadata": { "seen": "refcanary" }, "idempotency_key": "scan 1",
    })).await.ok();
    let signup = json!({
        "impression_id": scan["id"], "first_name": "refcanary A", "last_name": "refcanary B",
        "email": "RefCanary@example.com", "profile_picture": "https://example.com/refcanary.png",
        "external_id": "refcanary 7", "metadata": { "refcanary": ["refcanary"] }, "idempotency_key": "signup 1",
    });
    let referral = app.post("/api/v1/referrals", signup.clone()).await.ok();
    let order = json!({
        "email": "refcanary@example.com", "order_id": "order 1", "amount": 90_000, "metadata": { "who": "refcanary" },
        "idempotency_key": "order 1",
    });
    app.post("/api/v1/conversions", order).await.ok();
    let refund = json!({
        "order_id": "order 1", "amount": 100, "idempotency_key": "refund 1", "reason": "refcanary was sad",
        "metadata": { "who": "refcanary" },
    });
    app.post("/api/v1/refunds", refund).await.ok();
    let path = format!("/api/v1/referrals/{}", id(&referral));
    app.put(
        &path,
        json!({ "status": "verified", "note": "refcanary called back" }),
    )
    .await
    .ok();
    let bonus = json!({
        "referral_id": referral["id"], "amount": 700, "description": "for refcanary", "metadata": { "who": "refcanary" },
    });
    let earning = app.post("/api/v1/earnings", bonus).await.ok();
    let path = format!("/api/v1/earnings/{}", id(&earning));
    app.put(
        &path,
        json!({ "status": "processing", "note": "refcanary" }),
    )
    .await
    .ok();
    app.post(
        "/api/v1/payouts:collect",
        json!({ "program_id": program["id"] }),
    )
    .await
    .ok();
    let payouts = app.all("payouts").await;
    let path = format!("/api/v1/payouts/{}", id(&payouts[0]));
    let failed = json!({
        "status": "failed", "failure_reason": "usercanary moved", "metadata": { "who": "usercanary" }, "note": "usercanary",
    });
    app.put(&path, failed).await.ok();
    (referral, student, signup)
}

/// The same, and a receiver of its events that says what it was told.
pub async fn a_tour(app: &TestApp) -> (Value, Value, Value) {
    let receiver = Receiver::start(|_, got| Reply::Say(200, "", got.body.clone()));
    let hook = json!({ "url": receiver.url });
    app.post("/api/v1/webhook-endpoints", hook).await.ok();
    let met = a_tour_of(app).await;
    let customer = json!({
        "email": "CustCanary@example.com", "name": "custcanary", "phone": "+351910000077", "external_id": "custcanary 9",
        "metadata": { "who": "custcanary" }, "idempotency_key": "customer 1",
    });
    let customer = app.post("/api/v1/customers", customer).await.ok();
    // What is answered here is kept for a day.
    let path = format!("/v1/customers/{}", id(&customer));
    let key = [("idempotency-key", "one")];
    let body = json!({ "phone": PHONE }).to_string();
    let kept = app.send(Method::POST, &path, &key, Some(body)).await;
    assert_eq!(kept.ok()["name"], CUSTOMER);
    app.wait(1);
    deliver_due(&app.app).await.expect("a round");
    met
}

/// Where a word stands in the database, in any spelling.
fn where_is(app: &TestApp, word: &str) -> Vec<String> {
    where_in(&app.database, word)
}

/// The same of a database that nobody serves.
pub fn where_in(database: &Database, word: &str) -> Vec<String> {
    let mut conn = database.connect();
    let mut found = Vec::new();
    for table in TABLES {
        let shape = Shape::of(&mut conn, table).expect("a table");
        let mut last = None;
        loop {
            let mut rows = shape.page(&mut conn, None, last.as_ref()).expect("rows");
            for row in &rows {
                for (column, value) in row.as_object().expect("a row") {
                    let place = format!("{}.{column}", table.name);
                    if value.to_string().to_lowercase().contains(word) && !found.contains(&place) {
                        found.push(place);
                    }
                }
            }
            last = rows.pop();
            if last.is_none() {
                break;
            }
        }
    }
    found
}

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

async fn erase(app: &TestApp, path: &str) -> Value {
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
        let account = AccountId::from_outside(&app.database.account_named("default")).expect("an id");
        let person = Person::named(id(&referral)).expect("somebody");
        let (owner, whom, clock) = (account.clone(), person.clone(), app.app.clock.clone());
        let look = move |conn: &mut DbConnection| traces(conn, &clock, &owner, &whom, "");
        let found = app.app.db.read_at_length(look).await.expect("a look");
        assert!(!found.events.is_empty());
        let (owner, gone) = (account.clone(), EventId::from_outside("evt_gone").expect("an id"));
        let events = [&found.events[..], &[gone]].concat();
        // One that has come to its end since the look is no obstacle.
        app.app.db.write(move |conn, _| empty(conn, &owner, &events)).await.expect("a step");
        app.wait(60);
        let late = json!({ "last_name": "refcanary again" });
        app.put(&format!("/api/v1/referrals/{}", id(&referral)), late).await.ok();
        let last = move |conn: &mut DbConnection, now| erase_now(conn, &account, None, &person, &found.reached, now);
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

/// Before the erasure the word is in the file: the test would notice.
#[actix_web::test]
async fn the_bytes_are_gone_from_the_file_and_its_log() {
    let app = TestApp::start_with(Database::sqlite(), &SETTINGS).await;
    let (referral, student, _) = a_tour(&app).await;
    // Neighbours in the same pages, and pages that are split after the person is in them.
    let poster = app.a_poster().await;
    for n in 0..400 {
        let scan = app.a_scan_of(&poster).await;
        let mut body = crate::support::a_signup(&scan);
        body["email"] = json!(format!("a{}@example.com", n * 7919 % 400));
        app.post("/api/v1/referrals", body).await.ok();
    }
    let path = app.database.url.trim_start_matches("sqlite://").to_owned();
    let times = |word: &str| {
        let mut found = 0;
        for file in [path.clone(), format!("{path}-wal")] {
            let bytes = fs::read(file).unwrap_or_default().to_ascii_lowercase();
            found += bytes
                .windows(word.len())
                .filter(|bytes| *bytes == word.as_bytes())
                .count();
        }
        found
    };
    assert!(
        times(PERSON) > 10 && times(STUDENT) > 10,
        "{} {}",
        times(PERSON),
        times(STUDENT)
    );
    erase(
        &app,
        &format!("/api/v1/referrals/{}/personal-data", id(&referral)),
    )
    .await;
    assert_eq!(times(PERSON), 0);
    erase(
        &app,
        &format!("/api/v1/users/{}/personal-data", id(&student)),
    )
    .await;
    assert_eq!(times(STUDENT), 0);
    app.stop().await;
}

/// What docs/operations.md says about PostgreSQL: the rows are gone at once, their bytes after `VACUUM FULL`.
#[actix_web::test]
async fn the_bytes_are_gone_from_postgresql_after_its_full_vacuum() {
    let app = TestApp::start_with(Database::postgres(), &SETTINGS).await;
    let (referral, _, _) = a_tour(&app).await;
    erase(
        &app,
        &format!("/api/v1/referrals/{}/personal-data", id(&referral)),
    )
    .await;
    let mut conn = app.database.connect();
    conn.batch_execute("SET statement_timeout = 0")
        .expect("patience");
    for table in TABLES {
        let vacuum = format!("VACUUM FULL {}", table.name);
        conn.batch_execute(&vacuum).expect("a vacuum");
    }
    conn.batch_execute("CHECKPOINT").expect("a checkpoint");
    let mut looked_at = 0;
    for table in TABLES {
        let query = format!(
            "SELECT position('{PERSON}'::bytea IN pg_read_binary_file(pg_relation_filepath('{}')))::bigint AS found",
            table.name
        );
        let Found { found } = sql_query(query).get_result(&mut conn).expect("a file");
        assert_eq!(found, 0, "{}", table.name);
        looked_at += 1;
    }
    assert!(looked_at > 20);
    app.stop().await;
}

/// A new column of text is either one that an erasure empties or one that it need not.
#[actix_web::test]
async fn of_every_column_it_is_known_whether_it_is_personal() {
    let app = TestApp::start_with(Database::sqlite(), &SETTINGS).await;
    a_tour(&app).await;
    let filled: Vec<String> = [
        where_is(&app, PERSON),
        where_is(&app, STUDENT),
        where_is(&app, "203.0.113.77"),
        where_is(&app, CUSTOMER),
        where_is(&app, PHONE),
    ]
    .concat();
    let mut conn = app.database.connect();
    for table in TABLES {
        let query = "SELECT name FROM pragma_table_info($1) WHERE type = 'TEXT'";
        let columns: Vec<Column> = sql_query(query)
            .bind::<Text, _>(table.name)
            .load(&mut conn)
            .expect("columns");
        for Column { name } in columns {
            let place = (table.name, &*name);
            let is_personal = PERSONAL.contains(&place);
            let is_harmless = HARMLESS.contains(&&*name) || HARMLESS_THERE.contains(&place);
            assert!(
                is_personal || is_harmless,
                "is {}.{name} personal? Then erase it; say so in this test",
                table.name
            );
            let is_text = !name.starts_with("idempotency")
                && !["last_error", "fingerprint"].contains(&&*name);
            if is_personal && is_text {
                assert!(
                    filled.contains(&format!("{}.{name}", table.name)),
                    "the tour does not fill {}.{name}",
                    table.name
                );
            }
            if !is_personal {
                assert!(
                    !filled.contains(&format!("{}.{name}", table.name)),
                    "{}.{name} is personal after all",
                    table.name
                );
            }
        }
    }
    app.stop().await;
}

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
