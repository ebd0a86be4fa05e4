//! `handbill`, the program, as somebody at a terminal meets it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::Database;

pub fn handbill(database: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handbill"))
        .args(arguments)
        .env("DATABASE_URL", database)
        .output()
        .expect("the program")
}

#[track_caller]
pub fn json(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON and nothing else")
}

#[track_caller]
pub fn sentence(output: &Output) -> String {
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone())
        .expect("text")
        .trim()
        .to_owned()
}

#[test]
fn keys_are_made_listed_and_revoked() {
    for database in [Database::sqlite(), Database::postgres()] {
        let url = &database.url;
        let made = json(&handbill(
            url,
            &["keys", "create", "--name", "Webhook", "--json"],
        ));
        let (id, key) = (
            made["id"].as_str().expect("an id"),
            made["key"].as_str().expect("a key"),
        );
        assert!(id.starts_with("key_") && key.starts_with("sk_") && key.len() >= 40);
        assert_eq!(made["account"], "default");

        let plain = handbill(url, &["keys", "create", "--name", "Second"]);
        assert!(String::from_utf8_lossy(&plain.stdout).starts_with("sk_"));

        let listed = handbill(url, &["keys", "list", "--json"]);
        assert!(
            !String::from_utf8_lossy(&listed.stdout).contains(key),
            "a secret is shown once"
        );
        let listed = json(&listed);
        assert_eq!(listed.as_array().map(Vec::len), Some(2));
        assert_eq!(listed[0]["id"], id);
        assert_eq!(listed[0]["hint"], key[key.len() - 4..]);
        assert_eq!(listed[0]["revoked_at"], Value::Null);

        let revoked = json(&handbill(url, &["keys", "revoke", id, "--json"]));
        assert!(revoked["revoked_at"].is_string());
        let table = handbill(url, &["keys", "list"]);
        assert!(String::from_utf8_lossy(&table.stdout).contains("revoked 20"));
        assert_eq!(
            sentence(&handbill(url, &["keys", "revoke", "key_unknown"])),
            "handbill: API key not found"
        );
        assert_eq!(
            sentence(&handbill(url, &["keys", "revoke", "no id"])),
            "handbill: 'no id' is not the id of a key; it looks like key_…"
        );
    }
}

#[test]
fn accounts_have_keys_of_their_own() {
    for database in [Database::sqlite(), Database::postgres()] {
        let url = &database.url;
        let account = json(&handbill(
            url,
            &["accounts", "create", "--name", "Acme", "--json"],
        ));
        let id = account["id"].as_str().expect("an id");
        assert!(id.starts_with("acct_"));
        for by in ["Acme", id] {
            let key = json(&handbill(
                url,
                &["keys", "create", "--account", by, "--name", "A", "--json"],
            ));
            assert_eq!(key["account_id"], id);
        }
        assert_eq!(
            json(&handbill(url, &["keys", "list", "--json"]))
                .as_array()
                .map(Vec::len),
            Some(0)
        );
        let accounts = json(&handbill(url, &["accounts", "list", "--json"]));
        assert_eq!(accounts[0]["name"], "Acme");
        assert_eq!(
            sentence(&handbill(url, &["accounts", "create", "--name", "Acme"])),
            "handbill: There is already an account called Acme"
        );
        assert_eq!(
            sentence(&handbill(
                url,
                &["keys", "create", "--account", "Nobody", "--name", "A"]
            )),
            "handbill: Account not found"
        );
        assert_eq!(
            sentence(&handbill(
                url,
                &["keys", "create", "--name", "A", "--program", "prog_1"]
            )),
            "handbill: a key for one program or ambassador needs a --scope for each thing that it may do, or --publishable"
        );
        assert_eq!(
            sentence(&handbill(url, &["accounts", "create", "--name", " "])),
            "handbill: --name must not be blank"
        );
    }
}

#[test]
fn what_cannot_be_done_is_a_sentence_and_a_failure() {
    let run = |name: &str, value: &str, arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_handbill"))
            .args(arguments)
            .env(name, value)
            .output()
            .expect("the program")
    };
    assert_eq!(
        sentence(&run("HANDBILL_BIND", "nowhere", &["serve"])),
        "handbill: HANDBILL_BIND must be an address and port such as 127.0.0.1:3000, not 'nowhere'"
    );
    assert_eq!(
        sentence(&run("HANDBILL_BINDD", "x", &["serve"])),
        "handbill: HANDBILL_BINDD is not a setting; docs/configuration.md lists them"
    );
    let unreachable = sentence(&run(
        "DATABASE_URL",
        "postgres://nobody:secret@127.0.0.1:1/x",
        &["migrate"],
    ));
    assert!(
        unreachable.starts_with("handbill: cannot open the database: ")
            && !unreachable.contains("secret"),
        "{unreachable}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let refused = sentence(&run("HANDBILL_BIND", &address, &["serve"]));
    assert!(
        refused.starts_with(&format!("handbill: cannot listen on {address}: ")),
        "{refused}"
    );
    let unknown = run("RUST_LOG", "info", &["fly"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn every_command_explains_itself() {
    for arguments in [
        &[][..],
        &["serve"],
        &["demo"],
        &["accounts"],
        &["accounts", "create"],
        &["accounts", "list"],
        &["keys"],
        &["keys", "create"],
        &["keys", "list"],
        &["keys", "revoke"],
        &["migrate"],
        &["verify"],
        &["backup"],
        &["restore"],
        &["export"],
        &["import"],
        &["move"],
        &["erase"],
        &["erasures"],
        &["openapi"],
    ] {
        let arguments = [arguments, &["--help"]].concat();
        let output = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .args(&arguments)
            .output()
            .expect("the program");
        assert!(output.status.success(), "{arguments:?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("Usage: handbill"),
            "{arguments:?}"
        );
    }
}

#[test]
fn the_openapi_document_is_printed_and_migrating_twice_is_once() {
    let document: Value = json(&handbill("sqlite://never-opened.db", &["openapi"]));
    assert_eq!(
        document,
        serde_json::to_value(handbill::app::openapi()).expect("the document")
    );
    let database = Database::empty_sqlite();
    let applied = json(&handbill(&database.url, &["migrate", "--json"]));
    assert!(
        applied["applied"]
            .as_array()
            .is_some_and(|applied| applied.len() > 5)
    );
    let again = json(&handbill(&database.url, &["migrate", "--json"]));
    assert_eq!(again["applied"], serde_json::json!([]));
}

#[test]
fn a_mistyped_path_is_said_and_no_database_is_made_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mistyped.db");
    let url = format!("sqlite://{}", path.display());
    for arguments in [
        &["keys", "list"][..],
        &["keys", "revoke", "key_1"],
        &["accounts", "list"],
        &["accounts", "update", "default", "--time-zone", "UTC"],
        &["verify"],
        &["erasures"],
        &["erase", "--referral", "ref_1"],
    ] {
        let said = sentence(&handbill(&url, arguments));
        assert!(said.contains("there is no file"), "{arguments:?}: {said}");
        assert!(!path.exists(), "{arguments:?}");
    }
}
