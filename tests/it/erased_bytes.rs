//! What is erased is gone from the disk.

use std::time::Duration;
use std::{fs, thread};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use handbill::db::DbConnection;
use handbill::db::tables::TABLES;
use serde_json::json;

use crate::privacy::erase;
use crate::support::money::id;
use crate::support::{Database, TestApp};
use crate::tour::{Found, PERSON, SETTINGS, STUDENT, a_tour};

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
    let mut looked_at = 0;
    for table in TABLES {
        looked_at += 1;
        // What a transaction that goes on beside it (an automatic ANALYZE, say) could still see stays for the next time.
        let is_gone = (0..100).any(|_| {
            let vacuum = format!("VACUUM FULL {}", table.name);
            conn.batch_execute(&vacuum).expect("a vacuum");
            conn.batch_execute("CHECKPOINT").expect("a checkpoint");
            let gone = found_in(&mut conn, table.name) == 0;
            if !gone {
                thread::sleep(Duration::from_millis(100));
            }
            gone
        });
        assert!(is_gone, "{}", table.name);
    }
    assert!(looked_at > 20);
    app.stop().await;
}

/// Where in the table's file the person is; 0: nowhere.
fn found_in(conn: &mut DbConnection, table: &str) -> i64 {
    let query = format!(
        "SELECT position('{PERSON}'::bytea IN pg_read_binary_file(pg_relation_filepath('{table}')))::bigint AS found"
    );
    let Found { found } = sql_query(query).get_result(conn).expect("a file");
    found
}
