//! Moving a database, exporting and importing an account: complete, compared, resumable or all at once, never mixed.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::backup::{SETTINGS, everything_it_says};
use crate::command_line::{handbill, json, sentence};
use crate::ledger::a_story;
use crate::support::process::Process;
use crate::support::{Database, TestApp, on_both};

/// How often a move is killed.
const KILLS: u64 = 8;

/// A database with nothing in it, of the other kind.
fn an_empty_other(database: &Database) -> Database {
    match database.is_sqlite() {
        true => Database::empty_postgres(),
        false => Database::empty_sqlite(),
    }
}

async fn something_of_everything(app: &TestApp) {
    a_story(app).await;
    let hook = json!({ "url": "https://example.com/hook", "idempotency_key": "hook" });
    app.post("/api/v1/webhook-endpoints", hook).await.ok();
    let mut scan = app.a_scan().await;
    scan["metadata"] =
        json!({ "ü\u{1f393}": ["\u{1}'\"\\", 1e-7, -0.0, null, 123_456_789_012_345_678_i64] });
    scan["poster_id"] = scan["poster_id"].take();
    app.post("/api/v1/impressions", scan).await.ok();
}

on_both! {
    with SETTINGS =>
    async fn a_moved_database_says_what_it_said_before(app: &TestApp) {
        something_of_everything(app).await;
        app.stranger().await.an_earning().await;
        let said = everything_it_says(app).await;
        let target = an_empty_other(&app.database);
        let moved = json(&handbill(&app.database.url, &["move", "--to", &target.url, "--json"]));
        let rows = |table: &str| {
            let tables = moved["tables"].as_array().expect("tables");
            tables.iter().find(|copied| copied["table"] == table).expect("a table")["rows"].clone()
        };
        assert_eq!((rows("accounts"), rows("webhook_endpoints")), (json!(2), json!(1)));
        assert!(handbill(&target.url, &["verify"]).status.success());
        let again = sentence(&handbill(&app.database.url, &["move", "--to", &target.url]));
        assert!(again.contains("not empty") || again.contains("already"), "{again}");
        let other = app.on_a_copy(target, &SETTINGS);
        assert_eq!(everything_it_says(&other).await, said);
        // A key that was used before the move is used after it, and events go on where they were.
        let hook = json!({ "url": "https://example.com/hook", "idempotency_key": "hook" });
        assert!(other.post("/api/v1/webhook-endpoints", hook).await.is_replay());
        other.an_earning().await;
        let events = other.all("events").await;
        for (event, number) in events.iter().zip(1..) {
            assert_eq!(event["sequence"], number, "{event}");
        }
        other.stop().await;
    }

    async fn an_account_is_exported_and_imported_whole(app: &TestApp) {
        something_of_everything(app).await;
        app.stranger().await.an_earning().await;
        let said = everything_it_says(app).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("account.ndjson");
        let path = file.to_str().expect("text");
        let exported = handbill(&app.database.url, &["export", path]);
        assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
        let text = std::fs::read_to_string(&file).expect("the export");
        assert!(!text.contains("stranger"), "another account's rows");
        for target in [Database::sqlite(), Database::postgres()] {
            // Somebody else lives there already, who is called the same.
            let made = handbill(&target.url, &["keys", "create", "--name", "A", "--json"]);
            let neighbour = json(&made)["account_id"].clone();
            let taken = sentence(&handbill(&target.url, &["import", path]));
            assert!(taken.contains("another account called default") && taken.contains("--name"), "{taken}");
            let imported = json(&handbill(&target.url, &["import", path, "--name", "Moved here", "--json"]));
            assert_eq!(imported["account"], "Moved here");
            assert_ne!(imported["account_id"], neighbour);
            assert!(handbill(&target.url, &["verify"]).status.success());
            let again = sentence(&handbill(&target.url, &["import", path, "--name", "Once more"]));
            assert!(again.contains("is in this database already; an import does not mix"), "{again}");
            let other = app.on_a_copy(target, &[]);
            let here = |(path, text): (String, String)| (path, text.replace(&other.base, &app.base));
            let answers: Vec<_> = everything_it_says(&other).await.into_iter()
                .map(|(path, text)| (path, text.replace(&other.app.public_url, &app.app.public_url))).map(here).collect();
            // The export is in the log here, the import there.
            let but_the_log = |said: &[(String, String)]| {
                said.iter().filter(|(path, _)| path != "/api/v1/audit-log").cloned().collect::<Vec<_>>()
            };
            assert_eq!(but_the_log(&answers), but_the_log(&said));
            other.an_earning().await;
            other.stop().await;
        }
    }

    async fn an_export_that_is_not_whole_leaves_nothing_behind(app: &TestApp) {
        something_of_everything(app).await;
        let exported = handbill(&app.database.url, &["export", "-"]);
        let text = String::from_utf8(exported.stdout).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        let target = an_empty_other(&app.database);
        json(&handbill(&target.url, &["migrate", "--json"]));
        let edited = |edit: &dyn Fn(&mut Vec<String>)| {
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            edit(&mut lines);
            lines.join("\n")
        };
        let last = lines.len() - 1;
        let cases: [(&str, String); 9] = [
            ("the file is empty", String::new()),
            ("this is no export", "{}\n".to_owned()),
            ("breaks off before its end", edited(&|lines| { lines.pop(); })),
            ("breaks off before its end", edited(&|lines| lines.truncate(1))),
            ("not what the end says", edited(&|lines| { lines.remove(last - 1); })),
            ("not what the end says", edited(&|lines| {
                let place = lines.iter().position(|line| line.contains("\"table\":\"balances\"")).expect("a balance");
                lines[place] = lines[place].replace("\"paid\":", "\"paid\":1");
            })),
            ("reads version 1", edited(&|lines| lines[0] = lines[0].replace("\"handbill_export\":1", "\"handbill_export\":2"))),
            ("is of no table that can come here", edited(&|lines| lines.swap(1, last - 1))),
            ("is no row of this account", edited(&|lines| {
                let account = lines[0].split("acct_").nth(1).expect("an id")[..20].to_owned();
                lines[2] = lines[2].replace(&account, "00000000000000000000");
            })),
        ];
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("edited");
        for (complaint, text) in cases {
            std::fs::write(&file, text).expect("a file");
            let refused = sentence(&handbill(&target.url, &["import", file.to_str().expect("text")]));
            assert!(refused.contains(complaint), "{complaint}: {refused}");
            let accounts = json(&handbill(&target.url, &["accounts", "list", "--json"]));
            assert_eq!(accounts, json!([]), "{complaint}");
        }
        std::fs::write(&file, b"\xff\xfe\0").expect("a file");
        let refused = sentence(&handbill(&target.url, &["import", file.to_str().expect("text")]));
        assert_eq!(refused, "handbill: this is no export: it is not text");
        std::fs::write(&file, text).expect("a file");
        json(&handbill(&target.url, &["import", file.to_str().expect("text"), "--json"]));
    }
}

/// Two keys, as the settings have them.
const KEYS: [&str; 2] = [
    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUY=",
];

/// `handbill import`, with these keys in the settings.
fn import_with(keys: Option<&str>, database: &Database, file: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handbill"))
        .args(["import", file, "--json"])
        .env("DATABASE_URL", &database.url)
        .envs(keys.map(|keys| ("HANDBILL_ENCRYPTION_KEYS", keys)))
        .output()
        .expect("the program")
}

on_both! {
    with [("HANDBILL_ENCRYPTION_KEYS", KEYS[0])] =>
    async fn an_export_with_encrypted_secrets_is_imported_with_their_key_or_not_at_all(app: &TestApp) {
        let hook = json!({ "url": "https://example.com/hook" });
        app.post("/api/v1/webhook-endpoints", hook).await.ok();
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
        let (file, edited) = (at("account.ndjson"), at("edited.ndjson"));
        assert!(handbill(&app.database.url, &["export", &file]).status.success());
        let text = std::fs::read_to_string(&file).expect("the export");
        let header: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("a header");
        let name = header["encrypted_with"][0].as_str().expect("the name of a key");
        assert!(!text.contains("whsec_"), "it is encrypted");
        let unsaid = text.replacen(&format!("\"encrypted_with\":[\"{name}\"]"), "\"encrypted_with\":[]", 1);
        assert_ne!(unsaid, text);
        std::fs::write(&edited, unsaid).expect("a file");
        for target in [Database::sqlite(), Database::postgres()] {
            for keys in [None, Some(KEYS[1])] {
                for file in [&file, &edited] {
                    let refused = sentence(&import_with(keys, &target, file));
                    let sentence = format!("encrypted with the key {name}, which HANDBILL_ENCRYPTION_KEYS does not have");
                    assert!(refused.contains(&sentence), "{refused}");
                    assert_eq!(json(&handbill(&target.url, &["accounts", "list", "--json"])), json!([]));
                }
            }
            // Behind a new key is enough.
            let both = KEYS.map(str::to_owned).into_iter().rev().collect::<Vec<_>>().join(",");
            json(&import_with(Some(&both), &target, &file));
            Process::start_with(&target, &[("HANDBILL_ENCRYPTION_KEYS", KEYS[0])]).kill();
        }
    }
}

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
             INSERT INTO accounts SELECT 'acct_00000000000000000000', 'Somebody', 'UTC', 1",
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

#[actix_web::test]
async fn a_move_mixes_nothing() {
    let app = TestApp::start(Database::sqlite()).await;
    let target = Database::postgres();
    json(&handbill(
        &target.url,
        &["accounts", "create", "--name", "Acme", "--json"],
    ));
    let refused = sentence(&handbill(&app.database.url, &["move", "--to", &target.url]));
    assert_eq!(
        refused,
        "handbill: that database is not empty: there is something in accounts"
    );
    let same = sentence(&handbill(
        &app.database.url,
        &["move", "--to", &app.database.url],
    ));
    assert_eq!(same, "handbill: both are the same database");
    let unknown = sentence(&handbill(&app.database.url, &["move", "--to", "mysql://x"]));
    assert_eq!(
        unknown,
        "handbill: --to must be sqlite://PATH or postgres://…"
    );
    let Value::Array(accounts) = json(&handbill(&target.url, &["accounts", "list", "--json"]))
    else {
        panic!("a list");
    };
    assert_eq!(accounts.len(), 1);
    app.stop().await;
}
