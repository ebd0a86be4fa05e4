//! What is no database of ours, or one of another version, or none at all: what the commands say to it, and that they leave
//! it as it is.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use serde_json::json;

use crate::command_line::{handbill, json, sentence};
use crate::support::Database;

/// The commands that only read.
const LISTS: [&[&str]; 4] = [
    &["keys", "list"],
    &["accounts", "list"],
    &["erasures"],
    &["verify"],
];
/// Those that write; the first two make a database where there is none.
const WRITES: [&[&str]; 7] = [
    &["keys", "create", "--name", "A"],
    &["accounts", "create", "--name", "Acme"],
    &["keys", "revoke", "key_1"],
    &["accounts", "update", "default", "--time-zone", "UTC"],
    &["erase", "--referral", "ref_1"],
    &["export", "-"],
    &["import", "-"],
];

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// All that there is: the file's bytes and the names beside it, or the names of all tables.
fn all_of(database: &Database) -> Vec<String> {
    if let Some(path) = database.url.strip_prefix("sqlite://") {
        let folder = Path::new(path).parent().expect("a folder");
        let files = fs::read_dir(folder).expect("the folder");
        let mut all: Vec<String> = files
            .map(|file| file.expect("a file").path())
            // Whoever reads from a file with a log opens the log beside it.
            .filter(|file| !file.to_string_lossy().ends_with("-shm"))
            .map(|file| {
                format!(
                    "{} {:?}",
                    file.display(),
                    fs::read(&file).expect("the file")
                )
            })
            .collect();
        all.sort();
        return all;
    }
    let tables = "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    let tables: Vec<Name> = sql_query(tables)
        .load(&mut database.connect())
        .expect("tables");
    tables.into_iter().map(|table| table.name).collect()
}

/// One in which another program keeps something.
fn somebody_elses() -> [Database; 2] {
    let databases = [Database::empty_sqlite(), Database::empty_postgres()];
    let statement = "CREATE TABLE music (title TEXT); INSERT INTO music VALUES ('Aria')";
    let path = databases[0].url.trim_start_matches("sqlite://");
    // As another program would: without our settings.
    let mut conn = SqliteConnection::establish(path).expect("a file");
    conn.batch_execute(statement).expect("a table");
    let mut conn = databases[1].connect();
    conn.batch_execute(statement).expect("a table");
    databases
}

/// One of the version before, or after, this one.
fn of_another_version(statement: &str) -> [Database; 2] {
    let databases = [Database::sqlite(), Database::postgres()];
    for database in &databases {
        let mut conn = database.connect();
        conn.batch_execute(statement).expect("another version");
        if database.is_sqlite() {
            conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
                .expect("a file");
        }
    }
    databases
}

const OLDER: &str = "DELETE FROM __diesel_schema_migrations WHERE version = \
    (SELECT max(version) FROM __diesel_schema_migrations)";
const NEWER: &str = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29990101000000', CURRENT_TIMESTAMP)";

#[test]
fn a_database_of_another_program_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let backup = folder.path().join("backup.db");
    let backup: &[&str] = &["backup", backup.to_str().expect("text")];
    let ours = Database::sqlite();
    for database in somebody_elses() {
        let before = all_of(&database);
        let others: [&[&str]; 3] = [&["migrate"], &["serve"], backup];
        for arguments in LISTS.iter().chain(&WRITES).chain(&others) {
            let arguments: Vec<&str> = match arguments {
                ["serve"] => vec![],
                other => other.to_vec(),
            };
            let said = sentence(&on_a_free_port(&database.url, &arguments));
            assert!(
                said.contains("is no database of handbill's"),
                "{arguments:?}: {said}"
            );
            assert!(!said.contains('\n'), "one sentence: {said}");
            assert_eq!(all_of(&database), before, "{arguments:?}");
        }
        if !database.is_sqlite() {
            let said = sentence(&handbill(&ours.url, &["move", "--to", &database.url]));
            assert!(said.contains("is no database of handbill's"), "{said}");
            assert_eq!(all_of(&database), before);
        }
    }
}

fn on_a_free_port(database: &str, arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_handbill"))
        .args(arguments)
        .env("DATABASE_URL", database)
        .env("HANDBILL_BIND", "127.0.0.1:0")
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program")
}

#[test]
fn lists_read_and_an_older_or_newer_database_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let backup = folder.path().join("backup.db");
    for (statement, sentence_of_it) in [
        (OLDER, "`handbill migrate` brings it up to date"),
        (NEWER, "was migrated by a newer handbill"),
    ] {
        for database in of_another_version(statement) {
            let before = all_of(&database);
            for arguments in LISTS {
                let said = sentence(&handbill(&database.url, arguments));
                assert!(said.contains(sentence_of_it), "{arguments:?}: {said}");
                assert_eq!(all_of(&database), before, "{arguments:?}");
            }
            let newer = statement == NEWER;
            let copy: &[&str] = &["backup", backup.to_str().expect("text")];
            for arguments in WRITES.iter().chain(&[copy]).filter(|_| newer) {
                let said = sentence(&on_a_free_port(&database.url, arguments));
                assert!(said.contains(sentence_of_it), "{arguments:?}: {said}");
                assert_eq!(all_of(&database), before, "{arguments:?}");
            }
            assert!(!backup.exists());
        }
    }
}

#[test]
fn a_list_makes_no_account() {
    for database in [Database::sqlite(), Database::postgres()] {
        let url = &database.url;
        for _ in 0..2 {
            assert_eq!(json(&handbill(url, &["keys", "list", "--json"])), json!([]));
            assert_eq!(
                json(&handbill(url, &["accounts", "list", "--json"])),
                json!([])
            );
        }
        assert_eq!(
            sentence(&handbill(url, &["keys", "list", "--account", "Acme"])),
            "handbill: Account not found"
        );
    }
}

#[test]
fn only_what_makes_a_key_or_an_account_makes_a_database_and_says_so() {
    for database in [Database::empty_sqlite(), Database::empty_postgres()] {
        let shown = match database.url.strip_prefix("sqlite://") {
            Some(path) => path.to_owned(),
            None => database.url.clone(),
        };
        let before = all_of(&database);
        for arguments in LISTS.iter().chain(&WRITES[2..]) {
            let said = sentence(&on_a_free_port(&database.url, arguments));
            assert!(
                said.contains(&shown)
                    && said.contains("make a new one there with `handbill migrate`"),
                "{arguments:?}: {said}"
            );
            assert_eq!(all_of(&database), before, "{arguments:?}");
        }
        for first in [true, false] {
            let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
            let told = String::from_utf8_lossy(&made.stderr).into_owned();
            let says_so = told.contains("there was no database at ") && told.contains(&shown);
            assert_eq!(says_so, first, "{told}");
            assert_eq!(json(&made)["account"], "default");
        }
    }
}

#[test]
fn what_cannot_be_opened_is_named_and_no_password_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.db");
    fs::write(&text, "precious".repeat(1000)).expect("a file");
    let path = text.to_str().expect("text");
    for arguments in LISTS.iter().chain(&WRITES).chain(&[&["migrate"][..]]) {
        let said = sentence(&on_a_free_port(&format!("sqlite://{path}"), arguments));
        assert!(
            said.contains(path) && said.contains("file is not a database"),
            "{arguments:?}: {said}"
        );
        let away = "postgres://me:secret@127.0.0.1:1/x";
        let said = sentence(&on_a_free_port(away, arguments));
        let is_named = said.contains("postgres://me@127.0.0.1:1/x: ");
        assert!(
            is_named && !said.contains("secret"),
            "{arguments:?}: {said}"
        );
    }
    let nowhere = folder.path().join("nowhere/x.db");
    let nowhere = nowhere.to_str().expect("text");
    let said = sentence(&handbill(&format!("sqlite://{nowhere}"), &["migrate"]));
    assert!(said.contains(nowhere), "{said}");
    let ours = Database::sqlite();
    let said = sentence(&handbill(&ours.url, &["backup", nowhere]));
    assert!(
        said.contains(nowhere) && !said.contains(".handbill-unfinished-"),
        "{said}"
    );
    let said = handbill(&ours.url, &["erase"]);
    let said = String::from_utf8_lossy(&said.stderr);
    for argument in ["--referral", "--user", "--customer"] {
        assert!(said.contains(argument), "{said}");
    }
}
