//! A backup and an export have everybody in them who was erased after they were made. What is made of them has not.

use std::fs;

use serde_json::{Value, json};

use crate::command_line::{handbill, json, sentence};
use crate::support::money::id;
use crate::support::{Database, TestApp, on_both};
use crate::tour::{CUSTOMER, PERSON, PHONE, SETTINGS, STUDENT, a_tour, where_in};

const CANARIES: [&str; 4] = [PERSON, CUSTOMER, STUDENT, PHONE];

/// Erases all of a tour: what `handbill erasures` says then.
async fn erase_all(app: &TestApp, referral: &Value, student: &Value) -> String {
    let customers = app.all("customers").await;
    let customer = customers
        .iter()
        .find(|customer| customer["name"] == CUSTOMER)
        .expect("the customer");
    for (flag, who) in [
        ("--referral", referral),
        ("--user", student),
        ("--customer", customer),
    ] {
        let erased = handbill(&app.database.url, &["erase", flag, id(who), "--json"]);
        assert_eq!(json(&erased)["id"], who["id"]);
    }
    let listed = handbill(&app.database.url, &["erasures"]);
    assert!(listed.status.success());
    String::from_utf8(listed.stdout).expect("text")
}

#[track_caller]
fn nobody_is_in(database: &Database) {
    for canary in CANARIES {
        assert_eq!(where_in(database, canary), Vec::<String>::new(), "{canary}");
    }
    let verified = handbill(&database.url, &["verify"]);
    let told = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{told}");
    if let Some(file) = database.url.strip_prefix("sqlite://") {
        let bytes = fs::read(file).expect("the file");
        for canary in CANARIES {
            let canary = canary.as_bytes();
            let found = bytes
                .windows(canary.len())
                .any(|part| part.eq_ignore_ascii_case(canary));
            assert!(!found, "{canary:?}");
        }
    }
}

on_both! {
    with SETTINGS =>
    async fn who_was_erased_after_a_backup_is_nowhere_in_what_is_restored(app: &TestApp) {
        let (referral, student, _) = a_tour(app).await;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
        let (backup, list) = (at("backup.db"), at("erasures.ndjson"));
        json(&handbill(&app.database.url, &["backup", &backup, "--json"]));
        let listed = erase_all(app, &referral, &student).await;
        assert_eq!(listed.lines().count(), 3, "{listed}");
        assert!(CANARIES.iter().all(|canary| !listed.contains(canary)), "{listed}");
        fs::write(&list, &listed).expect("the list");

        for source in [&list, &app.database.url] {
            for target in [Database::empty_sqlite(), Database::empty_postgres()] {
                let restored = handbill(&target.url, &["restore", &backup, "--erasures", source, "--json"]);
                assert_eq!(json(&restored)["differences"], 0);
                nobody_is_in(&target);
                let again = handbill(&target.url, &["erasures"]);
                assert_eq!(String::from_utf8_lossy(&again.stdout), listed, "who, and since when");
                // It is in the audit log, and whoever follows the feed is told.
                let other = app.on_a_copy(target, &SETTINGS);
                let acts = other.get("/api/v1/audit-log?action=user.erased").await.ok();
                assert_eq!(acts["acts"].as_array().map(Vec::len), Some(1));
                let told = other.all("events").await;
                let told = told.iter().filter(|event| event["type"] == "referral.erased");
                assert_eq!(told.map(|event| &event["data"]).collect::<Vec<_>>(), [&json!({ "id": referral["id"] })]);
                other.stop().await;
            }
        }
        // Without the list they are back: a test that could not fail would be none.
        let target = Database::empty_sqlite();
        let restored = handbill(&target.url, &["restore", &backup, "--json"]);
        let told = String::from_utf8_lossy(&restored.stderr).into_owned();
        assert!(told.contains("who was erased since") && told.contains("--erasures"), "{told}");
        json(&restored);
        assert!(where_in(&target, PERSON).len() > 10);
    }

    async fn who_was_erased_after_an_export_is_nowhere_where_it_is_imported(app: &TestApp) {
        let (referral, student, _) = a_tour(app).await;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
        let (file, list) = (at("account.ndjson"), at("erasures.ndjson"));
        assert!(handbill(&app.database.url, &["export", &file]).status.success());
        let listed = erase_all(app, &referral, &student).await;
        // Those of another account, and those who came after the export, are nobody here.
        let nobody = "{\"account_id\":\"acct_0ther0\",\"id\":\"ref_other\",\"erased_at\":\"2024-01-01T00:00:00Z\"}";
        let line = listed.lines().find(|line| line.contains(id(&referral)));
        let late = line.expect("a line").replace(id(&referral), "ref_late");
        fs::write(&list, format!("{listed}{nobody}\n{late}\n")).expect("the list");
        for target in [Database::sqlite(), Database::postgres()] {
            let imported = handbill(&target.url, &["import", &file, "--erasures", &list, "--json"]);
            assert_eq!(json(&imported)["erased"], 3);
            nobody_is_in(&target);
        }
        let target = Database::sqlite();
        let plain = handbill(&target.url, &["import", &file]);
        let told = String::from_utf8(plain.stdout).expect("text");
        assert!(told.contains("Who was erased since it was exported"), "{told}");
        assert!(where_in(&target, PERSON).len() > 10);
    }
}

#[test]
fn a_list_that_is_none_is_refused_before_anything_is_restored() {
    let (full, target) = (Database::sqlite(), Database::empty_sqlite());
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (backup, list) = (at("backup.db"), at("list"));
    json(&handbill(&full.url, &["backup", &backup, "--json"]));
    let line =
        "{\"account_id\":\"acct_00000a\",\"id\":\"ref_a\",\"erased_at\":\"2024-01-01T00:00:00Z\"}";
    for bad in [
        "",
        "{}",
        "ref_a",
        &line.replace("ref_a", "prog_a"),
        &line.replace("2024", "x"),
    ] {
        fs::write(&list, format!("{line}\n{bad}\n")).expect("a list");
        let refused = sentence(&handbill(
            &target.url,
            &["restore", &backup, "--erasures", &list],
        ));
        assert!(
            refused.contains(&format!("{list}, line 2: ")),
            "{bad}: {refused}"
        );
    }
    let gone = at("gone.db");
    for nowhere in [gone.clone(), format!("sqlite://{gone}")] {
        let refused = sentence(&handbill(
            &target.url,
            &["restore", &backup, "--erasures", &nowhere],
        ));
        assert!(refused.contains(&gone), "{refused}");
    }
    let path = target.url.trim_start_matches("sqlite://");
    assert!(!std::path::Path::new(path).exists(), "nothing was restored");
}
