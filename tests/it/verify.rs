//! `handbill verify`: silent about what is right, loud about everything else.

use diesel::connection::SimpleConnection;
use handbill::db::DbConnection;
use serde_json::{Value, json};

use crate::command_line::{self, handbill};
use crate::introductions::a_rewarded_introduction;
use crate::ledger::a_story;
use crate::support::{Database, TestApp, on_both};
use crate::verify_breaks::BREAKS;

/// What `verify` says, and whether it is content.
pub fn verify(app: &TestApp) -> (Value, bool) {
    let output = handbill(&app.database.url, &["verify", "--json"]);
    let said = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (said, output.status.success())
}

/// Takes away what keeps transfers from being changed and scans from being deleted.
fn disarm(conn: &mut DbConnection) {
    let statement = match conn {
        DbConnection::Sqlite(_) => {
            "DROP TRIGGER transfers_are_not_changed; DROP TRIGGER transfers_are_not_deleted; \
             DROP TRIGGER impressions_are_not_deleted"
        }
        DbConnection::Postgres(_) => {
            "ALTER TABLE transfers DISABLE TRIGGER transfers_stay; \
             ALTER TABLE impressions DISABLE TRIGGER impressions_stay"
        }
    };
    conn.batch_execute(statement).expect("no triggers");
}

on_both! {
    async fn everything_adds_up_after_a_story_with_everything_in_it(app: &TestApp) {
        assert!(verify(app).1, "nothing adds up to nothing");
        a_story(app).await;
        a_rewarded_introduction(app).await;
        app.stranger().await.an_earning().await;
        let (said, content) = verify(app);
        assert!(content, "{said}");
        assert_eq!((&said["count"], &said["differences"]), (&json!(0), &json!([])));
        for check in said["checks"].as_array().expect("checks") {
            assert!(check["checked"].as_i64().is_some_and(|checked| checked > 0), "{check}");
        }
        let plain = handbill(&app.database.url, &["verify"]);
        let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
        assert!(plain.starts_with("ok ") && plain.ends_with("Everything adds up.\n"), "{plain}");
    }

    async fn it_is_content_while_others_write(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        app.decides(&referral, "verified").await;
        let url = app.database.url.clone();
        let verifying = tokio::task::spawn_blocking(move || {
            (0..4).map(|_| handbill(&url, &["verify"])).collect::<Vec<_>>()
        });
        let mut orders = 0;
        while !verifying.is_finished() {
            let order = format!("order {orders}");
            app.buys(&referral, &order, 1_000, "USD").await;
            app.refunds(&order, 500, &order).await;
            orders += 1;
        }
        for output in verifying.await.expect("outputs") {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        assert!(orders > 1, "{orders}");
    }

    async fn whatever_is_wrong_is_said_and_fails(app: &TestApp) {
        a_story(app).await;
        a_rewarded_introduction(app).await;
        let mut conn = app.database.connect();
        disarm(&mut conn);
        for (wrong, right, check) in BREAKS {
            conn.batch_execute(wrong).expect(wrong);
            let (said, content) = verify(app);
            assert!(!content, "{wrong}");
            let differences = said["differences"].as_array().expect("differences");
            assert!(differences.iter().any(|difference| difference["check"] == check), "{wrong}: {said}");
            conn.batch_execute(right).expect(right);
            let (said, content) = verify(app);
            assert!(content, "{right}: {said}");
        }
        conn.batch_execute("DELETE FROM transfers WHERE reason = 'released'").expect("deleted");
        let output = handbill(&app.database.url, &["verify"]);
        assert_eq!(output.status.code(), Some(1));
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.starts_with("handbill: there are "), "{complaint}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("WRONG") && said.contains("follows transfer"), "{said}");
    }
}

#[actix_web::test]
async fn a_row_that_points_nowhere_is_said() {
    let app = TestApp::start(Database::sqlite()).await;
    app.an_earning().await;
    let statement = "PRAGMA foreign_keys = OFF; UPDATE posters SET ambassador_id = 'user_gone'";
    app.database
        .connect()
        .batch_execute(statement)
        .expect("a broken row");
    let (said, content) = verify(&app);
    assert!(!content);
    let differences = said["differences"].as_array().expect("differences");
    let problem = "it points at a row of ambassadors that is not there";
    assert!(
        differences
            .iter()
            .any(|difference| difference["problem"] == problem),
        "{said}"
    );
    app.stop().await;
}

/// PostgreSQL refuses them.
#[actix_web::test]
async fn a_text_that_no_request_could_have_brought_is_said() {
    const SIGNUPS: &str = "Every signup's texts are such as are taken";
    const SCANS: &str = "Every scan's texts are such as are taken";
    let app = TestApp::start(Database::sqlite()).await;
    app.an_earning().await;
    let mut conn = app.database.connect();
    let long = "replace(hex(zeroblob(1025)), '0', 'a')";
    for (table, column, value, check) in [
        ("referrals", "first_name", long, SIGNUPS),
        ("referrals", "profile_picture", long, SIGNUPS),
        ("referrals", "metadata", "'{'", SIGNUPS),
        ("referrals", "metadata", "'{x}'", SIGNUPS),
        ("impressions", "user_agent", long, SCANS),
        ("impressions", "metadata", "'{x}'", SCANS),
        (
            "events",
            "data",
            "'{\"a\":}'",
            "Every event's object is one",
        ),
    ] {
        let key = if table == "events" { "sequence" } else { "id" };
        let statement = format!(
            "CREATE TABLE kept AS SELECT {key}, {column} AS was FROM {table}; UPDATE {table} SET {column} = {value}"
        );
        conn.batch_execute(&statement).expect("an odd text");
        let (said, content) = verify(&app);
        assert!(!content, "{statement}");
        let differences = said["differences"].as_array().expect("differences");
        let is_said = |difference: &Value| difference["check"] == check;
        assert!(differences.iter().any(is_said), "{statement}: {said}");
        let back = format!(
            "UPDATE {table} SET {column} = (SELECT was FROM kept WHERE kept.{key} = {table}.{key}); DROP TABLE kept"
        );
        conn.batch_execute(&back).expect("as it was");
        assert!(verify(&app).1, "{back}");
    }
    app.stop().await;
}

#[test]
fn a_database_that_is_not_up_to_date_is_not_called_right() {
    for database in [Database::empty_sqlite(), Database::empty_postgres()] {
        let output = handbill(&database.url, &["verify"]);
        assert_eq!(output.status.code(), Some(1));
        command_line::json(&handbill(&database.url, &["migrate", "--json"]));
        assert!(handbill(&database.url, &["verify"]).status.success());
    }
}
