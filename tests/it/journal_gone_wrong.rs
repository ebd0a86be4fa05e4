//! What the journal and the worker do when more than the database goes wrong.

use std::fs;
use std::process::Command;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use handbill::impressions::file;
use handbill::worker;
use serde_json::json;

use crate::journal::{a_known_poster, scan, stored};
use crate::support::money::id;
use crate::support::{Database, TestApp, on_both};

/// How many scans a list of the poster has.
async fn listed(app: &TestApp) -> usize {
    let posters = app.all("posters").await;
    let path = format!(
        "/api/v1/impressions?posterId={}&limit=1000",
        id(&posters[0])
    );
    let list = app.get(&path).await.ok();
    list["impressions"].as_array().expect("a list").len()
}

async fn replay(app: &TestApp) -> Result<usize, handbill::error::Error> {
    worker::replay_journal(&app.app, Duration::MAX).await
}

on_both! {
    with [("HANDBILL_SCAN_JOURNAL", "/nowhere/scans")] =>
    async fn a_journal_that_cannot_be_opened_keeps_no_scan_from_a_database_that_takes_it(app: &TestApp) {
        let code = a_known_poster(app).await;
        assert_eq!(app.nobody().get("/readyz").await.ok()["journal_works"], true, "nobody has tried");
        app.app.journal.use_it(true);
        let path = format!("/q/{code}");
        assert_eq!(app.nobody().get(&path).await.status, 503);
        let ready = app.nobody().get("/readyz").await;
        assert_eq!((ready.status, &ready.json()["journal_works"]), (503, &json!(false)));
        let metrics = app.nobody().get("/metrics").await.text();
        assert!(metrics.contains("handbill_journal_broken 1"), "{metrics}");
        assert!(replay(app).await.is_err());
        scan(app, &code).await;
        assert_eq!(stored(app).await.len(), 2);
        assert_eq!(app.nobody().get("/readyz").await.ok()["status"], "ok", "what there is to do is done");
    }
}

on_both! {
    async fn a_scan_that_the_database_refuses_for_no_fault_of_its_own_stays_in_the_journal(app: &TestApp) {
        let code = a_known_poster(app).await;
        app.app.journal.use_it(true);
        for _ in 0..5 {
            scan(app, &code).await;
        }
        let rename = |from: &str, to: &str| {
            let rename = format!("ALTER TABLE {from} RENAME TO {to}");
            app.database.connect().batch_execute(&rename).expect("renamed");
        };
        rename("daily_stats", "taken_away");
        for _ in 0..2 {
            assert!(replay(app).await.is_err());
        }
        assert_eq!(app.app.journal.waiting(), 5);
        rename("taken_away", "daily_stats");
        assert_eq!(replay(app).await.expect("stored"), 5);
        assert_eq!((stored(app).await.len(), listed(app).await), (6, 6));
        assert_eq!(app.app.journal.waiting(), 0);
    }

    async fn a_journal_of_more_than_is_read_at_once_is_stored_whole(app: &TestApp) {
        let code = a_known_poster(app).await;
        app.app.journal.use_it(true);
        let given = scan(app, &code).await;
        let line = fs::read_to_string(app.database.journal()).expect("the journal");
        let head = &given[..given.len() - 4];
        let mut lines = String::new();
        for number in 0..8000 {
            lines.push_str(&line.replace(&given, &format!("{head}{number:04}")));
        }
        assert!(lines.len() > 2 << 20, "{}", lines.len());
        // Nothing for a while, one in the middle that is cut in two, and one that is there twice.
        lines.insert(lines.len() / 2 + 10, '\n');
        lines.push_str(&line.replace(&given, &format!("{head}0000")));
        lines.insert_str(0, &"\n".repeat(3 << 20));
        fs::write(app.database.journal(), &lines).expect("written");
        let stored = replay(app).await.expect("stored");
        assert_eq!(stored, 7999);
        assert_eq!(fs::metadata(app.database.journal()).expect("a file").len(), 0);
        assert_eq!(app.get("/api/v1/stats?from=2024-01-01").await.ok()["scans"], 1 + stored);
        assert_eq!(replay(app).await.expect("nothing"), 0);
    }

    async fn what_another_process_has_left_is_stored_too(app: &TestApp) {
        let code = a_known_poster(app).await;
        app.app.journal.use_it(true);
        let (first, second) = (scan(app, &code).await, scan(app, &code).await);
        let kept = fs::read_to_string(app.database.journal()).expect("the journal");
        let lines: Vec<&str> = kept.lines().collect();
        let beside = app.database.journal().with_extension("3");
        fs::write(&beside, format!("{}\n", lines[1])).expect("written");
        fs::write(app.database.journal(), format!("{}\n", lines[0])).expect("written");
        assert_eq!(replay(app).await.expect("stored"), 2);
        let stored = stored(app).await;
        assert!(stored.contains(&first) && stored.contains(&second));
        assert_eq!(fs::metadata(&beside).expect("a file").len(), 0);
        scan(app, &code).await;
    }

    async fn scans_after_the_clock_was_put_back_are_in_every_list(app: &TestApp) {
        let code = a_known_poster(app).await;
        assert!(worker::file_scans(&app.app, false, Duration::MAX).await.expect("filed"));
        // As a process with a clock in the next century would have left it.
        let ahead = "UPDATE impressions_filed SET up_to = 'imp_zzzzzzzzzzzzzzzzzzzz'";
        app.database.connect().batch_execute(ahead).expect("filed");
        let changed = app.app.db.write(file::reopen).await.expect("reopened");
        assert_eq!(changed, 1);
        for _ in 0..3 {
            scan(app, &code).await;
        }
        assert_eq!(listed(app).await, 4);
        assert!(worker::file_scans(&app.app, false, Duration::MAX).await.expect("filed"));
        assert_eq!(listed(app).await, 4);
        assert_eq!(app.app.db.write(file::reopen).await.expect("nothing to do"), 0);
    }
}

#[actix_web::test]
async fn a_journal_that_is_put_right_is_used_without_a_restart() {
    for database in [Database::sqlite(), Database::postgres()] {
        let folder = database.folder().join("later");
        let place = folder.join("scans");
        let settings = [("HANDBILL_SCAN_JOURNAL", place.to_str().expect("text"))];
        let app = TestApp::start_with(database, &settings).await;
        let code = a_known_poster(&app).await;
        app.app.journal.use_it(true);
        let path = format!("/q/{code}");
        assert_eq!(app.nobody().get(&path).await.status, 503);
        assert!(app.app.journal.is_broken());
        assert!(replay(&app).await.is_err() && app.app.journal.is_broken());
        fs::create_dir(&folder).expect("a folder");
        assert_eq!(replay(&app).await.expect("nothing"), 0);
        assert!(!app.app.journal.is_broken());
        app.app.journal.use_it(true);
        let kept = scan(&app, &code).await;
        assert_eq!(
            (
                app.app.journal.waiting(),
                replay(&app).await.expect("stored")
            ),
            (1, 1)
        );
        assert!(stored(&app).await.contains(&kept));
        app.stop().await;
    }
}

#[test]
fn a_server_whose_journal_cannot_be_opened_does_not_start() {
    let database = Database::sqlite();
    let folder = database.journal().parent().expect("a folder").to_owned();
    for place in ["/nowhere/scans", folder.to_str().expect("text")] {
        let refused = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .arg("serve")
            .env("DATABASE_URL", &database.url)
            .env("HANDBILL_BIND", "127.0.0.1:0")
            .env("HANDBILL_SCAN_JOURNAL", place)
            .output()
            .expect("the program");
        assert_eq!(refused.status.code(), Some(1));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("the scan journal cannot be opened"), "{told}");
        assert!(
            told.contains(place) && told.contains("HANDBILL_SCAN_JOURNAL"),
            "{told}"
        );
    }
}
