//! Moves that are killed, and databases that change behind them.

use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use futures_util::future::join_all;

use crate::backup::{SETTINGS, everything_it_says};
use crate::command_line::{handbill, sentence};
use crate::moving::something_of_everything;
use crate::support::{Database, TestApp};

/// How often a move is killed.
const KILLS: u64 = 8;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn scans(database: &Database) -> i64 {
    let query = "SELECT count(*) AS count FROM impressions";
    let counted: Result<Count, _> = sql_query(query).get_result(&mut database.connect());
    counted.map_or(0, |row| row.count)
}

/// At moments that differ, the same ones in each run; some of them are in the middle.
#[actix_web::test]
async fn a_move_that_is_killed_goes_on_where_it_was() {
    let app = TestApp::start_with(Database::sqlite(), &SETTINGS).await;
    something_of_everything(&app).await;
    let poster = app.a_poster().await;
    for _ in 0..40 {
        join_all((0..100).map(|_| app.a_scan_of(&poster))).await;
    }
    let said = everything_it_says(&app).await;
    let target = Database::empty_postgres();
    let (mut seen, mut middles) = (Vec::new(), 0);
    for kill in 0..KILLS {
        let mut moving = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .args(["move", "--to", &target.url])
            .env("DATABASE_URL", &app.database.url)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program");
        std::thread::sleep(Duration::from_millis(60 + 45 * kill));
        let over = moving.try_wait().expect("the program").is_some();
        moving.kill().expect("a signal");
        moving.wait().expect("an end");
        seen.push(scans(&target));
        if over {
            break;
        }
        let began = handbill(&target.url, &["verify"]);
        if !began.status.success()
            && String::from_utf8_lossy(&began.stderr).contains("finish that first")
        {
            middles += 1;
            let refused = sentence(&handbill(&target.url, &["migrate"]));
            assert!(
                refused.contains("is being copied into this database"),
                "{refused}"
            );
            let other = Database::sqlite();
            let refused = sentence(&handbill(&other.url, &["move", "--to", &target.url]));
            assert!(
                refused.contains("is being copied into that database"),
                "{refused}"
            );
        }
    }
    assert!(middles > 0, "no kill was in the middle: {seen:?}");
    assert!(seen.is_sorted(), "what is there stays: {seen:?}");
    let _ = handbill(&app.database.url, &["move", "--to", &target.url]);
    assert!(handbill(&target.url, &["verify"]).status.success());
    let other = app.on_a_copy(target, &SETTINGS);
    assert_eq!(everything_it_says(&other).await, said);
    other.stop().await;
    app.stop().await;
}

/// The negative control: what was changed behind a move's back is found.
#[actix_web::test]
async fn a_database_that_changes_between_two_attempts_to_move_it_is_noticed() {
    let app = TestApp::start(Database::sqlite()).await;
    something_of_everything(&app).await;
    let target = Database::postgres();
    let path = app.database.url.trim_start_matches("sqlite://");
    let path = std::fs::canonicalize(path).expect("a path");
    // As a move that was killed leaves it, except for one row.
    target
        .connect()
        .batch_execute(&format!(
            "CREATE TABLE __handbill_copy (origin TEXT NOT NULL); \
             INSERT INTO __handbill_copy VALUES ('sqlite://{}'); \
             INSERT INTO accounts SELECT 0, 'Somebody', 'UTC', 1",
            path.display()
        ))
        .expect("an unfinished move");
    let refused = sentence(&handbill(&app.database.url, &["move", "--to", &target.url]));
    assert!(
        refused.contains("the copy is not what it was made of: accounts"),
        "{refused}"
    );
    assert!(!handbill(&target.url, &["verify"]).status.success());
    app.stop().await;
}
