//! What happens of payouts without a request: holds end, runs are finished, schedules are kept. And what a bank gets.

use csv::ReaderBuilder;
use futures_util::future::join;
use handbill::clock::Timestamp;
use handbill::ids::{AccountId, ProgramId};
use handbill::parse::Parse;
use handbill::payday::pay_day;
use handbill::payouts::collect::{begin, go_on};
use handbill::payouts::model::NewCollection;
use serde_json::{Value, json};

use crate::payouts::{a_paying_program, a_referral_in, collect, earn, id};
use crate::support::{Database, TestApp, on_both};

/// The account of the app's caller: the only one there is.
async fn account(app: &TestApp) -> AccountId {
    let accounts = app
        .app
        .db
        .read(|conn| Ok(handbill::accounts::queries::list(conn)?));
    accounts.await.expect("accounts").remove(0).id
}

/// Turns the clock to this moment.
fn turn_to(app: &TestApp, moment: &str) {
    let to = Timestamp::parse(moment).expect("a moment");
    app.wait((to.micros() - app.app.clock.now().micros()).div_euclid(1_000_000) + 1);
}

/// Pays off one earning per due moment, and finds out when that was. Looks every six hours.
async fn days_of_collection(app: &TestApp, schedule: &str, until: &str) -> Vec<String> {
    let program = a_paying_program(
        app,
        json!({ "payout_schedule": schedule, "status": "paused" }),
    )
    .await;
    // Paused programs recruit nobody, but they pay.
    let path = format!("/api/v1/programs/{}", id(&program));
    app.put(&path, json!({ "status": "active" })).await.ok();
    let referral = a_referral_in(app, &program).await;
    app.put(&path, json!({ "status": "paused" })).await.ok();
    let until = Timestamp::parse(until).expect("a moment");
    while app.app.clock.now() < until {
        earn(app, &referral, 1, "USD").await;
        pay_day(&app.app).await.expect("a round");
        app.wait(6 * 3600);
    }
    let runs = app.all_of("payouts/collections", "collections").await;
    for run in &runs {
        assert_eq!(run["status"], "collected");
        assert_eq!(run["totals"][0]["payouts"], 1);
    }
    runs.iter()
        .map(|run| run["created_at"].as_str().expect("a moment")[..10].to_owned())
        .collect()
}

on_both! {
    async fn a_weekly_program_pays_on_mondays(app: &TestApp) {
        let days = days_of_collection(app, "weekly", "2024-03-20T00:00:00Z").await;
        assert_eq!(days, ["2024-03-04", "2024-03-11", "2024-03-18"]);
    }

    async fn a_biweekly_program_pays_every_other_monday(app: &TestApp) {
        let days = days_of_collection(app, "biweekly", "2024-04-10T00:00:00Z").await;
        assert_eq!(days, ["2024-03-04", "2024-03-18", "2024-04-01"]);
    }

    async fn a_monthly_program_pays_on_the_first(app: &TestApp) {
        let days = days_of_collection(app, "monthly", "2024-06-02T00:00:00Z").await;
        assert_eq!(days, ["2024-04-01", "2024-05-01", "2024-06-01"]);
    }

    async fn a_schedule_counts_from_when_it_is_set_and_catches_up_once(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        earn(app, &referral, 5, "USD").await;
        turn_to(app, "2024-04-15T00:00:00Z");
        pay_day(&app.app).await.expect("a round");
        let path = format!("/api/v1/programs/{}", id(&program));
        app.put(&path, json!({ "payout_schedule": "monthly" })).await.ok();
        pay_day(&app.app).await.expect("a round");
        assert!(app.all("payouts").await.is_empty(), "the first of April was before it was set");
        // Nobody was there on the first of May and of June.
        turn_to(app, "2024-06-10T00:00:00Z");
        for _ in 0..3 {
            pay_day(&app.app).await.expect("a round");
        }
        assert_eq!(app.all_of("payouts/collections", "collections").await.len(), 1);
        assert_eq!(app.all("payouts").await.len(), 1);
    }

    async fn two_workers_at_once_collect_once(app: &TestApp) {
        let program = a_paying_program(app, json!({ "payout_schedule": "weekly" })).await;
        for _ in 0..25 {
            let referral = a_referral_in(app, &program).await;
            earn(app, &referral, 550, "USD").await;
        }
        // A person's key that says the same is another key.
        let key = format!("schedule {} 2024-03-04", id(&program));
        let other = a_paying_program(app, json!({})).await;
        app.post("/api/v1/payouts:collect", json!({ "program_id": other["id"], "idempotency_key": key })).await.ok();
        turn_to(app, "2024-03-04T00:00:00Z");
        let (one, two) = join(pay_day(&app.app), pay_day(&app.app)).await;
        one.and(two).expect("both rounds");
        let runs = app.get(&format!("/api/v1/payouts/collections?program_id={}", id(&program))).await.ok();
        assert_eq!(runs["collections"].as_array().expect("runs").len(), 1);
        assert_eq!(runs["collections"][0]["totals"], json!([{ "currency": "USD", "payouts": 25, "amount": 25 * 550 }]));
        let earning = app.all("earnings").await.remove(0);
        let history = app.get(&format!("/api/v1/earnings/{}/history", id(&earning))).await.ok();
        assert_eq!(history["history"][0]["by"], json!(null), "nobody asked for it");
    }

    async fn a_run_left_behind_is_finished(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        for _ in 0..45 {
            let referral = a_referral_in(app, &program).await;
            earn(app, &referral, 550, "USD").await;
        }
        let account = account(app).await;
        let new = NewCollection { program_id: ProgramId::parse(&id(&program)).expect("an id"), retry: None };
        app.app.db.write(move |conn, now| {
            let handbill::idempotency::Recorded::New(run) = begin(conn, &account, &new, now)? else { panic!("a new run") };
            go_on(conn, &account, &run.id, None, now)
        }).await.expect("a step");
        assert_eq!(app.all("payouts").await.len(), 20);
        let run = async || app.all_of("payouts/collections", "collections").await.remove(0);
        app.wait(29);
        pay_day(&app.app).await.expect("a round");
        assert_eq!(run().await["status"], "collecting", "somebody may still be at it");
        app.wait(2);
        pay_day(&app.app).await.expect("a round");
        assert_eq!(run().await["status"], "collected");
        assert_eq!(run().await["totals"], json!([{ "currency": "USD", "payouts": 45, "amount": 45 * 550 }]));
    }

    async fn a_hold_of_days_ends_by_the_clock(app: &TestApp) {
        let program = a_paying_program(app, json!({ "hold_days": 14 })).await;
        let referral = a_referral_in(app, &program).await;
        earn(app, &referral, 550, "USD").await;
        app.wait(14 * 86_400 - 60);
        pay_day(&app.app).await.expect("a round");
        assert_eq!(collect(app, &program).await["payouts"], json!([]));
        app.wait(61);
        // The collection itself ends the holds that are due, and so does a dry run.
        let body = json!({ "program_id": program["id"], "dry_run": true });
        assert_eq!(app.post("/api/v1/payouts:collect", body).await.ok()["totals"][0]["amount"], 550);
        earn(app, &referral, 50, "USD").await;
        assert_eq!(collect(app, &program).await["totals"][0]["amount"], 550);
        app.wait(14 * 86_400 + 1);
        pay_day(&app.app).await.expect("a round");
        let available = { use diesel::prelude::*; diesel::sql_query("UPDATE balances SET paid = paid WHERE available = 50")
            .execute(&mut app.database.connect()).expect("a count") };
        assert_eq!(available, 1, "the worker ended the hold");
    }

    async fn a_bank_gets_every_payout_as_text(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let people = [
            ("=cmd|' /C calc'!A0", "Müller, \"Jo\"", "=1+1@example.com", "KWD", 1, "0.001"),
            ("  @SUM(A1)", "-2+3", "+a@example.com", "JPY", 500, "500"),
            ("Carol", "O'Neil; x", "carol@example.com", "USD", 1250, "12.50"),
        ];
        for (first, last, email, currency, amount, _) in people {
            let body = json!({ "program_id": program["id"], "first_name": first, "last_name": last, "email": email });
            let student = app.post("/api/v1/users", body).await.ok();
            let poster = app.a_poster_of(&student).await;
            let scan = app.a_scan_of(&poster).await;
            earn(app, &app.a_referral_from(&scan).await, amount, currency).await;
        }
        let collected = collect(app, &program).await;
        let first = format!("/api/v1/payouts/{}", id(&collected["payouts"][0]));
        app.put(&first, json!({ "status": "paid", "reference_id": "\t=\r\n1" })).await.ok();
        let answer = app.get("/api/v1/payouts.csv").await;
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"payouts.csv\""));
        let mut reader = ReaderBuilder::new().from_reader(&*answer.bytes);
        assert_eq!(reader.headers().expect("a header"), vec![
            "payout_id", "student_id", "first_name", "last_name", "email", "amount", "currency", "status",
            "reference_id", "created_at", "paid_at",
        ]);
        let rows: Vec<Vec<String>> = reader.records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0][2..9], [
            "'=cmd|' /C calc'!A0", "Müller, \"Jo\"", "'=1+1@example.com", "0.001", "KWD", "paid", "'\t=\r\n1",
        ]);
        assert_eq!(rows[1][2..9], ["'@SUM(A1)", "'-2+3", "'+a@example.com", "500", "JPY", "processing", ""]);
        assert_eq!(rows[2][2..], [
            "Carol", "O'Neil; x", "carol@example.com", "12.50", "USD", "processing", "", "2024-03-01T09:00:00Z", "",
        ]);
        assert_eq!(rows[0][10], "2024-03-01T09:00:00Z");
        let paid = app.get("/api/v1/payouts.csv?status=paid").await;
        assert_eq!(paid.text().lines().next().expect("a header").split(',').count(), 11);
        assert!(!paid.text().contains("Carol") && paid.text().contains("KWD"));
        app.get("/api/v1/payouts.csv?status=x").await.refused_with(400);
        app.nobody().get("/api/v1/payouts.csv").await.refused_with(401);
    }

    async fn an_export_that_cannot_be_completed_breaks_off(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        let run = collect(app, &program).await;
        many_payouts(app, &run, referral["student_id"].as_str().expect("an id"));
        // The last row is broken: the ambassador is not there. Nothing that the database would allow.
        let unchecked = match app.database.is_sqlite() {
            true => "PRAGMA foreign_keys = OFF;",
            false => "SET session_replication_role = replica;",
        };
        let broken = format!("{unchecked} UPDATE payouts SET ambassador_id = 'user_gone' WHERE amount = 2001");
        diesel::connection::SimpleConnection::batch_execute(&mut app.database.connect(), &broken).expect("a broken row");
        let url = format!("{}/api/v1/payouts.csv", app.base);
        let client = crate::support::client().no_proxy().build().expect("a client");
        let key = app.caller.key.as_ref().expect("a key");
        let answer = client.get(url).bearer_auth(key).send().await.expect("a beginning");
        assert_eq!(answer.status(), 200);
        answer.bytes().await.expect_err("no end that looks like one");
    }

    async fn a_long_export_has_every_row_once(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        let run = collect(app, &program).await;
        many_payouts(app, &run, referral["student_id"].as_str().expect("an id"));
        let answer = app.get(&format!("/api/v1/payouts.csv?collectionId={}", id(&run))).await;
        let mut reader = ReaderBuilder::new().from_reader(&*answer.bytes);
        let ids: Vec<String> = reader.records().map(|row| row.expect("a row")[0].to_owned()).collect();
        let wanted: Vec<String> = (10_001..=12_001).map(|n| format!("payout_{n}")).collect();
        assert_eq!(ids, wanted);
        assert_eq!(app.get("/api/v1/payouts.csv?programId=undefined").await.text().lines().count(), 1);
    }
}

/// Two thousand and one payouts of this run, straight into the table: over HTTP they would be a test of patience.
fn many_payouts(app: &TestApp, run: &Value, student: &str) {
    let insert = format!(
        "INSERT INTO payouts SELECT c.account_id, 'payout_' || (10000 + n), c.id, c.program_id, '{student}', n, 'USD', \
         'cancelled', NULL, NULL, '{{}}', NULL, c.created_at, c.created_at FROM collections c, \
         (WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 2001) SELECT n FROM t) AS t \
         WHERE c.id = '{}'",
        id(run),
    );
    let mut conn = app.database.connect();
    diesel::connection::SimpleConnection::batch_execute(&mut conn, &insert).expect("payouts");
}

/// Two processes: two pools, two writers, one database.
#[actix_web::test]
async fn two_processes_keep_a_schedule_once() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start(database).await;
        let program = a_paying_program(&app, json!({ "payout_schedule": "monthly" })).await;
        for _ in 0..25 {
            let referral = a_referral_in(&app, &program).await;
            earn(&app, &referral, 550, "USD").await;
        }
        // The other's clock is the system's, which is months ahead; both are on the first of a month then.
        let other = app.beside(handbill::db::positions::Positions::default());
        let now = other.app.clock.now();
        app.wait((now.micros() - app.app.clock.now().micros()) / 1_000_000);
        let (one, two) = join(pay_day(&app.app), pay_day(&other.app)).await;
        one.and(two).expect("both rounds");
        let runs: Vec<Value> = app.all_of("payouts/collections", "collections").await;
        assert_eq!(runs.len(), 1);
        assert_eq!(
            runs[0]["totals"],
            json!([{ "currency": "USD", "payouts": 25, "amount": 25 * 550 }])
        );
        other.stop().await;
        app.stop().await;
    }
}
