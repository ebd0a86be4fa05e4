//! Moving a database, exporting and importing an account: complete, compared, resumable or all at once, never mixed.

use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::backup::{SETTINGS, everything_it_says};
use crate::command_line::{handbill, json, sentence};
use crate::ledger::a_story;
use crate::support::process::Process;
use crate::support::{Database, TestApp, on_both};

/// A database with nothing in it, of the other kind.
pub fn an_empty_other(database: &Database) -> Database {
    match database.is_sqlite() {
        true => Database::empty_postgres(),
        false => Database::empty_sqlite(),
    }
}

pub async fn something_of_everything(app: &TestApp) {
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
                let mut line: Value = serde_json::from_str(&lines[2]).expect("a row");
                line["row"]["account_id"] = 1.into();
                lines[2] = line.to_string();
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

on_both! {
    async fn an_account_whose_rows_point_nowhere_is_not_imported(app: &TestApp) {
        app.a_referral().await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lost");
        let file = file.to_str().expect("text");
        let target = an_empty_other(&app.database);
        json(&handbill(&target.url, &["migrate", "--json"]));
        for (wrong, right, complaint) in [
            (
                "UPDATE impressions SET poster_id = 'poster_00000000000000000000'",
                "UPDATE impressions SET poster_id = (SELECT id FROM posters)",
                "is not there",
            ),
            (
                "UPDATE referrals SET impression_id = 'imp_00000000000000000000'",
                "UPDATE referrals SET impression_id = (SELECT id FROM impressions)",
                "of nobody",
            ),
        ] {
            app.database.connect().batch_execute(wrong).expect(wrong);
            let exported = handbill(&app.database.url, &["export", file]);
            assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
            let refused = sentence(&handbill(&target.url, &["import", file]));
            assert!(refused.starts_with("handbill: a row of the file is not as it should be: "), "{refused}");
            assert!(refused.contains(complaint), "{refused}");
            assert_eq!(json(&handbill(&target.url, &["accounts", "list", "--json"])), json!([]));
            app.database.connect().batch_execute(right).expect(right);
            std::fs::remove_file(file).expect("removed");
        }
        assert!(handbill(&app.database.url, &["export", file]).status.success());
        json(&handbill(&target.url, &["import", file, "--json"]));
    }
}

#[actix_web::test]
async fn a_text_that_no_request_could_have_brought_is_not_imported() {
    for (odd, said) in [
        (
            "first_name = replace(hex(zeroblob(128)), '0', 'a')",
            ["a text in it is too long", "referrals_first_name_check"],
        ),
        (
            "metadata = '{x}'",
            [
                "metadata is no object",
                "invalid input syntax for type json",
            ],
        ),
    ] {
        let app = TestApp::start(Database::sqlite()).await;
        app.a_referral().await;
        let statement = format!("UPDATE referrals SET {odd}");
        let mut conn = app.database.connect();
        conn.batch_execute(&statement).expect("an odd text");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("odd");
        let file = file.to_str().expect("text");
        let exported = handbill(&app.database.url, &["export", file]);
        assert!(exported.status.success(), "{statement}");
        let targets = [Database::empty_sqlite(), Database::empty_postgres()];
        for (target, said) in targets.into_iter().zip(said) {
            json(&handbill(&target.url, &["migrate", "--json"]));
            let refused = sentence(&handbill(&target.url, &["import", file]));
            assert!(refused.contains(said), "{refused}");
            let accounts = json(&handbill(&target.url, &["accounts", "list", "--json"]));
            assert_eq!(accounts, json!([]));
        }
        app.stop().await;
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
