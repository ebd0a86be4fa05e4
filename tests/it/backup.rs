//! Backups: made while others write, with everything that was answered before, and put in place again.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use futures_util::future::join_all;
use handbill::db::DbConnection;
use serde_json::{Value, json};

use crate::command_line::{handbill, json, sentence};
use crate::ledger::a_story;
use crate::support::{Database, TestApp, a_signup, on_both};

/// What the servers of these tests call themselves, so that their answers can be compared.
pub const SETTINGS: [(&str, &str); 1] = [("HANDBILL_PUBLIC_URL", "https://go.example.com")];

/// How many backups are made while others write.
const BACKUPS: usize = 5;
/// How often a plain copy may happen to be whole.
const TRIES: usize = 50;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

pub fn url_of(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// How many of these referrals are in the database at `url`; an error, if it cannot be read.
fn present(url: &str, ids: &[String]) -> Result<usize, String> {
    let mut conn = DbConnection::open(url).map_err(|error| error.to_string())?;
    let mut found = 0;
    for ids in ids.chunks(500) {
        let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        let query = format!(
            "SELECT count(*) AS count FROM referrals WHERE id IN ({})",
            list.join(", ")
        );
        let count: Count = sql_query(query)
            .get_result(&mut conn)
            .map_err(|error| error.to_string())?;
        found += usize::try_from(count.count).expect("a count");
    }
    Ok(found)
}

/// Everything that can be asked for without an id, as text.
pub async fn everything_it_says(app: &TestApp) -> Vec<(String, String)> {
    let document = app.get("/openapi.json").await.ok();
    let mut said = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let asks = operations.get("get").is_some() && path.starts_with("/api/v1/");
        if asks && !path.contains('{') {
            let answer = app.get(&format!("{path}?limit=1000")).await;
            // A list that wants to know more is of no use here.
            if answer.status == 200 {
                said.push((path.clone(), answer.text()));
            }
        }
    }
    assert!(said.len() > 10, "{said:?}");
    said
}

/// Signups and purchases, until it is told to stop; the signups that were acknowledged.
async fn write(app: &TestApp, scan: &Value, acknowledged: &Mutex<Vec<String>>, stop: &AtomicBool) {
    let one = async |worker: usize| {
        for turn in 0.. {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let mut body = a_signup(scan);
            body["email"] = json!(format!("person{turn}@worker{worker}.example.com"));
            let referral = app.post("/api/v1/referrals", body).await.ok();
            let id = referral["id"].as_str().expect("an id").to_owned();
            acknowledged.lock().expect("a lock").push(id);
            let order = json!({
                "referral_id": referral["id"], "order_id": format!("{worker} {turn}"), "amount": 1_000,
            });
            app.post("/api/v1/conversions", order).await.ok();
        }
    };
    join_all((0..4).map(one)).await;
}

/// Runs `work` beside writers, on a thread of its own, for as long as it takes.
async fn while_others_write<T: Send + 'static>(
    app: &TestApp,
    acknowledged: &'static Mutex<Vec<String>>,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let scan = app.a_scan().await;
    let stop = AtomicBool::new(false);
    let working = async {
        while acknowledged.lock().expect("a lock").len() < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let done = tokio::task::spawn_blocking(work).await.expect("the work");
        stop.store(true, Ordering::Relaxed);
        done
    };
    tokio::join!(working, write(app, &scan, acknowledged, &stop)).0
}

/// For the length of the test program.
fn acknowledged() -> &'static Mutex<Vec<String>> {
    Box::leak(Box::default())
}

on_both! {
    async fn a_backup_has_everything_that_was_answered_before_it_began(app: &TestApp) {
        let folder = tempfile::tempdir().expect("a folder");
        let (url, place) = (app.database.url.clone(), folder.path().to_owned());
        let acknowledged = acknowledged();
        let made = while_others_write(app, acknowledged, move || {
            (0..BACKUPS).map(|n| {
                let before = acknowledged.lock().expect("a lock").clone();
                let file = place.join(format!("backup {n}.db"));
                let said = json(&handbill(&url, &["backup", file.to_str().expect("text"), "--json"]));
                let after = acknowledged.lock().expect("a lock").len();
                assert!(after > before.len(), "nobody wrote meanwhile");
                (file, before, said)
            }).collect::<Vec<(PathBuf, Vec<String>, Value)>>()
        }).await;
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").map(|file| file.expect("a file").file_name()).collect();
        assert_eq!(left.len(), BACKUPS, "nothing but backups: {left:?}");
        for (file, before, said) in &made {
            assert_eq!(said["differences"], 0);
            assert_eq!(said["bytes"], std::fs::metadata(file).expect("the file").len());
            assert_eq!(present(&url_of(file), before), Ok(before.len()));
            let verified = handbill(&url_of(file), &["verify"]);
            assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
        }
    }
}

/// The negative control of the test above: `cp` makes no backup.
#[actix_web::test]
async fn a_plain_copy_of_the_file_is_no_backup() {
    let app = TestApp::start(Database::sqlite()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("copy.db");
    let path = app.database.url.trim_start_matches("sqlite://").to_owned();
    let acknowledged = acknowledged();
    let lost = while_others_write(&app, acknowledged, move || {
        (0..TRIES).any(|_| {
            let before = acknowledged.lock().expect("a lock").clone();
            std::fs::copy(&path, &place).expect("a copy");
            let found = present(&url_of(&place), &before);
            for file in ["copy.db", "copy.db-wal", "copy.db-shm"] {
                let _ = std::fs::remove_file(place.with_file_name(file));
            }
            found != Ok(before.len())
        })
    });
    assert!(lost.await, "{TRIES} plain copies were all whole");
    app.stop().await;
}

on_both! {
    with SETTINGS =>
    async fn a_restored_backup_says_what_the_database_said(app: &TestApp) {
        a_story(app).await;
        app.post("/api/v1/webhook-endpoints", json!({ "url": "https://example.com/hook" })).await.ok();
        let said = everything_it_says(app).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a backup.db");
        let file = file.to_str().expect("text");
        json(&handbill(&app.database.url, &["backup", file, "--json"]));
        let bytes = std::fs::read(file).expect("the backup");
        // What happens after the backup is not in it.
        app.a_referral().await;
        for target in [Database::empty_sqlite(), Database::empty_postgres()] {
            let restored = handbill(&target.url, &["restore", file, "--json"]);
            assert_eq!(json(&restored)["differences"], 0);
            assert!(handbill(&target.url, &["verify"]).status.success());
            let other = app.on_a_copy(target, &SETTINGS);
            assert_eq!(everything_it_says(&other).await, said);
            // Nothing is in the way of going on.
            other.a_referral().await;
            other.stop().await;
        }
        assert!(std::fs::read(file).expect("the backup") == bytes, "restoring changes no backup");
    }
}

#[test]
fn nothing_is_overwritten_and_what_cannot_be_done_leaves_nothing_behind() {
    let (full, folder) = (Database::sqlite(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("backup.db");
    let path = file.to_str().expect("text");
    let there = format!("handbill: there is something at {path} already; it is left as it is");
    std::fs::write(&file, "precious").expect("a file");
    assert_eq!(sentence(&handbill(&full.url, &["backup", path])), there);
    assert_eq!(std::fs::read(&file).expect("the file"), b"precious");
    std::fs::remove_file(&file).expect("no file");
    assert!(handbill(&full.url, &["backup", path]).status.success());
    let taken = full.url.trim_start_matches("sqlite://");
    assert_eq!(
        sentence(&handbill(&full.url, &["restore", path])),
        format!("handbill: there is something at {taken} already; it is left as it is")
    );
    let missing = sentence(&handbill("sqlite:///nowhere/x.db", &["backup", "y.db"]));
    assert!(
        missing.contains("there is no file /nowhere/x.db"),
        "{missing}"
    );
    // Somebody else's file.
    let other = folder.path().join("other.db");
    std::fs::write(&other, "precious".repeat(1000)).expect("a file");
    let target = Database::empty_sqlite();
    let refused = sentence(&handbill(
        &target.url,
        &["restore", other.to_str().expect("text")],
    ));
    assert!(refused.contains("file is not a database"), "{refused}");
    // One whose last writes are in its log.
    let used = Database::sqlite();
    let mut conn = used.connect();
    let write = "INSERT INTO accounts (id, name, time_zone, created_at) VALUES (10, 'A', 'UTC', 1)";
    conn.batch_execute(write).expect("a write");
    let path = used.url.trim_start_matches("sqlite://");
    let refused = sentence(&handbill(&target.url, &["restore", path]));
    assert!(
        refused.contains("is a database that is in use"),
        "{refused}"
    );
    let place = Path::new(target.url.trim_start_matches("sqlite://"));
    let left = std::fs::read_dir(place.parent().expect("a folder")).expect("the folder");
    assert_eq!(left.count(), 0);
    assert_eq!(
        sentence(&handbill(&target.url, &["restore", "nothing.db"])),
        "handbill: there is no file nothing.db"
    );
}

#[derive(QueryableByName)]
struct Page {
    #[diesel(sql_type = BigInt)]
    page: i64,
    #[diesel(sql_type = Text)]
    name: String,
}

/// A page of an index is written over: a copy by rows would not notice, a check does. What was never ours is no backup either.
#[actix_web::test]
async fn a_damaged_backup_is_not_restored() {
    let app = TestApp::start(Database::sqlite()).await;
    app.an_earning().await;
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (file, newer) = (at("backup.db"), at("newer.db"));
    let path = file.to_str().expect("text");
    json(&handbill(&app.database.url, &["backup", path, "--json"]));
    std::fs::copy(&file, &newer).expect("another");
    let mut conn = DbConnection::open(&url_of(&file)).expect("the backup");
    let index =
        "SELECT rootpage AS page, name FROM sqlite_master WHERE name = 'referrals_by_email'";
    let Page { page, name } = sql_query(index).get_result(&mut conn).expect("an index");
    drop(conn);
    let mut bytes = std::fs::read(&file).expect("the backup");
    let start = usize::try_from(page - 1).expect("a page") * 4096;
    bytes[start + 8..start + 4096].fill(0);
    std::fs::write(&file, bytes).expect("a damaged backup");
    let (empty, foreign) = (at("empty.db"), at("foreign.db"));
    std::fs::write(&empty, "").expect("a file");
    let future = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    for (file, statement) in [
        (&foreign, "CREATE TABLE music (title TEXT)"),
        (&newer, future),
    ] {
        let mut conn = DbConnection::open(&url_of(file)).expect("a database");
        conn.batch_execute(statement).expect("a statement");
    }
    for (file, why) in [
        (&file, "damaged"),
        (&empty, "is no backup: there is nothing in it"),
        (&foreign, "is no backup: it is a database of another"),
        (&newer, "is a backup of a newer handbill"),
    ] {
        for target in [Database::empty_sqlite(), Database::empty_postgres()] {
            // PostgreSQL makes its own indexes.
            if why != "damaged" || target.is_sqlite() {
                let path = file.to_str().expect("text");
                let refused = sentence(&handbill(&target.url, &["restore", path]));
                assert!(refused.contains(why), "{name}: {refused}");
            }
        }
    }
    app.stop().await;
}
