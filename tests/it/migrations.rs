//! Migrations: the same in both folders, run once however many start, refused when they are newer.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use handbill::db::{DbConnection, migrations};

use crate::command_line::handbill;
use crate::support::{Database, number};

fn names(database: &str) -> Vec<String> {
    let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn applied(conn: &mut DbConnection) -> i64 {
    let query = "SELECT count(*) AS count FROM __diesel_schema_migrations";
    sql_query(query)
        .get_result::<Count>(conn)
        .expect("a count")
        .count
}

#[test]
fn both_folders_have_the_same_migrations() {
    assert_eq!(names("sqlite"), names("postgres"));
    assert_eq!(
        names("sqlite").len(),
        migrations::embedded().expect("migrations").len()
    );
    for database in ["sqlite", "postgres"] {
        for name in names(database) {
            for file in ["up.sql", "down.sql"] {
                let path = format!(
                    "{}/migrations/{database}/{name}/{file}",
                    env!("CARGO_MANIFEST_DIR")
                );
                assert!(
                    fs::metadata(&path).is_ok_and(|file| file.len() > 0),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn several_processes_that_start_at_once_migrate_once() {
    for database in [Database::empty_sqlite(), Database::empty_postgres()] {
        let starts: Vec<_> = (0..5)
            .map(|_| {
                let url = database.url.clone();
                thread::spawn(move || migrations::run(&url).expect("migrations").len())
            })
            .collect();
        let done: Vec<usize> = starts
            .into_iter()
            .map(|start| start.join().expect("a start"))
            .collect();
        let all = migrations::embedded().expect("migrations").len();
        assert_eq!(done.iter().sum::<usize>(), all, "{done:?}");
        assert_eq!(
            applied(&mut database.connect()),
            i64::try_from(all).expect("a count")
        );
    }
}

/// `MIGRATIONS_KILLED=50` is the long run.
#[test]
fn a_migration_that_is_killed_half_way_is_finished_by_the_next() {
    for empty in [Database::empty_sqlite, Database::empty_postgres] {
        let mut halfway = 0;
        for turn in 0..number("MIGRATIONS_KILLED", 6) {
            let database = empty();
            let mut process = Command::new(env!("CARGO_BIN_EXE_handbill"))
                .arg("migrate")
                .env("DATABASE_URL", &database.url)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program");
            // The first hardly ever gets through, also where the machine is fast and this thread has to wait.
            thread::sleep(Duration::from_millis(1 + 9 * turn as u64));
            let _ = process.kill();
            let done = process.wait().expect("an end").success();
            halfway += usize::from(!done);
            migrations::run(&database.url).expect("the rest");
            migrations::check(&database.url).expect("all of it");
            let all = migrations::embedded().expect("migrations").len();
            let count = applied(&mut database.connect());
            assert_eq!(count, i64::try_from(all).expect("a count"));
        }
        assert!(halfway > 0, "some were killed before they were through");
    }
}

#[test]
fn a_file_is_copied_before_it_is_migrated_and_the_last_three_copies_are_kept() {
    let database = Database::sqlite();
    let file = PathBuf::from(database.url.trim_start_matches("sqlite://"));
    let copies = || {
        let entries = fs::read_dir(file.parent().expect("a folder")).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").path());
        let is_copy = |path: &PathBuf| path.to_string_lossy().contains(".before-upgrade-");
        names.filter(is_copy).collect::<Vec<_>>()
    };
    let all = i64::try_from(names("sqlite").len()).expect("a count");
    let last = names("sqlite").pop().expect("a migration");
    let down = format!(
        "{}/migrations/sqlite/{last}/down.sql",
        env!("CARGO_MANIFEST_DIR")
    );
    let down = fs::read_to_string(down).expect("the migration");
    let up_to_date = handbill(&database.url, &["migrate"]);
    assert!(
        up_to_date.status.success() && copies().is_empty(),
        "nothing to do"
    );
    for upgrade in 1..=5 {
        let mut conn = database.connect();
        let forget = "DELETE FROM __diesel_schema_migrations WHERE version = \
            (SELECT max(version) FROM __diesel_schema_migrations)";
        conn.batch_execute(&format!("{down}; {forget}"))
            .expect("the version before");
        drop(conn);
        // Whichever command it is that upgrades.
        let done = match upgrade {
            4 => handbill(&database.url, &["erase", "--referral", "ref_1"]),
            _ => handbill(&database.url, &["migrate"]),
        };
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success() || said.contains("Referral not found"),
            "{said}"
        );
        assert_eq!(copies().len(), 3.min(upgrade));
        assert_eq!(applied(&mut database.connect()), all);
        for copy in copies() {
            let url = format!("sqlite://{}", copy.display());
            let mut conn = DbConnection::open(&url).expect("a database");
            assert_eq!(applied(&mut conn), all - 1, "as it was before");
        }
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    for database in [Database::sqlite(), Database::postgres()] {
        let mut conn = database.connect();
        conn.batch_execute("INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('29990101000000', CURRENT_TIMESTAMP)")
            .expect("a migration from the future");
        let before = applied(&mut conn);
        let refused = migrations::run(&database.url).expect_err("a refusal");
        assert!(
            refused.contains("migrated by a newer handbill"),
            "{refused}"
        );
        assert_eq!(applied(&mut conn), before);
    }
}

#[test]
fn a_database_that_is_not_there_is_a_sentence() {
    let refused = migrations::run("postgres://nobody@127.0.0.1:1/nothing").expect_err("a refusal");
    assert!(
        refused.starts_with("cannot open the database: "),
        "{refused}"
    );
    let refused = migrations::run("sqlite:///nonexistent/folder/x.db").expect_err("a refusal");
    assert!(
        refused.starts_with("cannot open the database: "),
        "{refused}"
    );
}

#[test]
fn every_migration_can_be_taken_back() {
    for (kind, database) in [
        ("sqlite", Database::sqlite()),
        ("postgres", Database::postgres()),
    ] {
        let mut conn = database.connect();
        for name in names(kind).iter().rev() {
            let path = format!(
                "{}/migrations/{kind}/{name}/down.sql",
                env!("CARGO_MANIFEST_DIR")
            );
            let down = fs::read_to_string(path).expect("the migration");
            conn.batch_execute(&down)
                .unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
        }
    }
}
