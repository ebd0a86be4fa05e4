//! Scans while the database takes none: phones are sent on, and each scan is stored once, later.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handbill::db::DbConnection;
use handbill::worker;
use serde_json::{Value, json};

use crate::support::database::cluster;
use crate::support::{Database, TestApp, on_both};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "only whether it is there counts")]
    line: String,
}

/// A poster whose code this server has seen scanned.
pub async fn a_known_poster(app: &TestApp) -> String {
    let poster = app.a_poster().await;
    let code = poster["code"].as_str().expect("a code").to_owned();
    assert_eq!(app.nobody().get(&format!("/q/{code}")).await.status, 302);
    code
}

/// Scans, and says which impression the phone was given.
pub async fn scan(app: &TestApp, code: &str) -> String {
    let answer = app.nobody().get(&format!("/q/{code}")).await;
    assert_eq!(answer.status, 302);
    let landing = answer.header("location").expect("a location");
    let (_, id) = landing.split_once("impression_id=").expect("an impression");
    id.to_owned()
}

/// Takes the tables away from all other connections, until it is dropped.
fn lock(database: &Database) -> DbConnection {
    let mut conn = database.connect();
    let lock = match database.is_sqlite() {
        true => "BEGIN IMMEDIATE",
        false => "BEGIN; LOCK TABLE impressions IN ACCESS EXCLUSIVE MODE",
    };
    conn.batch_execute(lock).expect("the lock");
    conn
}

pub async fn stored(app: &TestApp) -> HashSet<String> {
    let ids = app.all("impressions").await;
    let unique: HashSet<String> = ids
        .iter()
        .map(|scan| scan["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), unique.len());
    unique
}

on_both! {
    async fn while_the_database_is_locked_scans_go_to_the_journal_and_are_stored_once(app: &TestApp) {
        let code = a_known_poster(app).await;
        let lock = lock(&app.database);
        let began = Instant::now();
        let mut given = HashSet::new();
        for _ in 0..20 {
            given.insert(scan(app, &code).await);
        }
        assert!(began.elapsed() < Duration::from_secs(8), "phones do not wait for the lock: {:?}", began.elapsed());
        let ready = app.nobody().get("/readyz").await;
        assert_eq!(ready.status, 503);
        let ready = ready.json();
        assert_eq!((&ready["status"], &ready["scans_in_journal"]), (&json!("unavailable"), &json!(20)));
        assert!(worker::replay_journal(&app.app, Duration::MAX).await.is_err(), "nothing can be stored yet");
        drop(lock);
        assert_eq!(worker::replay_journal(&app.app, Duration::MAX).await.expect("stored"), 20);
        assert_eq!(worker::replay_journal(&app.app, Duration::MAX).await.expect("stored"), 0);
        let ready = app.nobody().get("/readyz").await.ok();
        assert_eq!((&ready["status"], &ready["scans_in_journal"]), (&json!("ok"), &json!(0)));
        let stored = stored(app).await;
        assert_eq!(stored.len(), 21);
        assert!(given.is_subset(&stored), "each phone has the id of its impression");
        assert_eq!(app.get("/api/v1/stats?from=2024-01-01").await.ok()["scans"], 21);
        scan(app, &code).await;
        assert_eq!(app.all("impressions").await.len(), 22, "and scans are stored at once again");
    }

    async fn while_the_database_is_locked_signups_are_turned_away_in_time_and_none_is_stored(app: &TestApp) {
        let scan = app.a_scan().await;
        let lock = lock(&app.database);
        let signups = (0..200).map(|n| {
            let scan = &scan;
            async move {
                let body = json!({
                    "impression_id": scan["id"], "first_name": "A", "last_name": "B", "email": "a@example.com",
                    "idempotency_key": format!("signup {n}"),
                });
                let began = Instant::now();
                let answer = app.post("/api/v1/referrals", body).await;
                answer.refused_with(503);
                assert_eq!(answer.header("retry-after"), Some("1"));
                began.elapsed()
            }
        });
        let slowest = futures_util::future::join_all(signups).await.into_iter().max().expect("a signup");
        assert!(slowest < Duration::from_secs(10), "{slowest:?}");
        drop(lock);
        assert_eq!(app.all("referrals").await, Vec::<Value>::new(), "who was told no may come again");
        app.a_referral_from(&scan).await;
    }

    async fn a_replay_that_is_cut_short_and_made_again_stores_nothing_twice(app: &TestApp) {
        let code = a_known_poster(app).await;
        app.app.journal.use_it(true);
        scan(app, &code).await;
        scan(app, &code).await;
        let kept = std::fs::read(app.database.journal()).expect("the journal");
        assert_eq!(worker::replay_journal(&app.app, Duration::MAX).await.expect("stored"), 2);
        // As if the process had died between the commit and the emptying of the file, in the middle of a line.
        let mut again = kept.clone();
        again.extend(&kept[..kept.len() / 3]);
        std::fs::write(app.database.journal(), again).expect("written");
        assert_eq!(worker::replay_journal(&app.app, Duration::MAX).await.expect("stored"), 0);
        assert_eq!(stored(app).await.len(), 3);
        assert_eq!(app.get("/api/v1/stats?from=2024-01-01").await.ok()["scans"], 3);
    }

    async fn a_scan_whose_poster_is_not_there_keeps_no_other_waiting_and_leaves_nothing(app: &TestApp) {
        let code = a_known_poster(app).await;
        app.app.journal.use_it(true);
        let (first, lost, last) = (scan(app, &code).await, scan(app, &code).await, scan(app, &code).await);
        let kept = std::fs::read_to_string(app.database.journal()).expect("the journal");
        let poster = app.all("posters").await[0]["id"].as_str().expect("an id").to_owned();
        let edited: Vec<String> = kept
            .lines()
            .map(|line| match line.contains(&lost) {
                true => line.replace(&poster, "poster_00000000000000000000"),
                false => line.to_owned(),
            })
            .collect();
        assert_ne!(edited.join("\n"), kept.trim_end(), "{kept}");
        std::fs::write(app.database.journal(), edited.join("\n") + "\n").expect("written");
        assert_eq!(worker::replay_journal(&app.app, Duration::MAX).await.expect("stored"), 2);
        let stored = stored(app).await;
        assert!(stored.contains(&first) && stored.contains(&last) && !stored.contains(&lost), "{stored:?}");
        let filed = "SELECT id AS line FROM impressions_of WHERE id = $1";
        let filed: Vec<Line> = sql_query(filed).bind::<Text, _>(&lost).load(&mut app.database.connect()).expect("filed");
        assert!(filed.is_empty());
        assert_eq!(app.get("/api/v1/stats?from=2024-01-01").await.ok()["scans"], 3);
    }

    async fn a_code_that_this_server_has_never_seen_gets_a_page_while_the_database_is_away(app: &TestApp) {
        app.app.journal.use_it(true);
        let answer = app.nobody().get("/q/XXXXXXXXXX").await;
        assert_eq!(answer.status, 404, "reading works, and nothing has this code");
    }

}

on_both! {
    with [("HANDBILL_SCAN_JOURNAL_MEGABYTES", "1")] =>
    async fn a_full_journal_refuses_a_scan_with_a_page_and_keeps_what_it_has(app: &TestApp) {
        let code = a_known_poster(app).await;
        std::fs::write(app.database.journal(), vec![b'\n'; 999_800]).expect("written");
        app.app.journal.use_it(true);
        let mut kept = 0;
        loop {
            let answer = app.nobody().get(&format!("/q/{code}")).await;
            if answer.status == 503 {
                assert_eq!(answer.header("retry-after"), Some("2"));
                break;
            }
            assert_eq!(answer.status, 302);
            kept += 1;
            assert!(kept < 10, "the journal has an end");
        }
        assert_eq!(worker::replay_journal(&app.app, Duration::MAX).await.expect("stored"), kept);
        scan(app, &code).await;
    }
}

/// Opens or shuts a database of the cluster. Whoever is in it is thrown out.
fn door(database: &str, open: bool) {
    let mut admin = DbConnection::open(&cluster().url("postgres")).expect("the cluster");
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    );
    let then = if open { "SELECT 1" } else { &end };
    admin
        .batch_execute(&format!(
            "ALTER DATABASE {database} ALLOW_CONNECTIONS {open}; {then}"
        ))
        .expect("the door");
}

/// As the worker does, round for round: connections of before are found to be dead.
async fn replay(app: &TestApp) {
    for round in 0.. {
        match worker::replay_journal(&app.app, Duration::MAX).await {
            Ok(_) => break,
            Err(error) => assert!(round < 3, "{error:?}"),
        }
    }
}

#[actix_web::test]
async fn a_look_up_on_a_connection_that_was_cut_off_is_made_again() {
    let app = TestApp::start(Database::postgres_of_its_own("cut_off")).await;
    let referral = app.a_referral().await;
    let path = format!(
        "/api/v1/referrals/{}",
        referral["id"].as_str().expect("an id")
    );
    app.get(&path).await.ok();
    for _ in 0..3 {
        door("cut_off", false);
        door("cut_off", true);
        app.get(&path).await.ok();
    }
    app.stop().await;
}

#[actix_web::test]
async fn a_change_makes_no_poster_unknown_while_the_server_of_the_database_is_away() {
    let app = TestApp::start(Database::postgres_of_its_own("changed_before")).await;
    let code = a_known_poster(&app).await;
    let other = app.a_poster().await;
    let path = format!("/api/v1/posters/{}", other["id"].as_str().expect("an id"));
    app.put(&path, json!({ "location": "Gym" })).await.ok();
    door("changed_before", false);
    let given = scan(&app, &code).await;
    door("changed_before", true);
    replay(&app).await;
    assert!(stored(&app).await.contains(&given));
    app.stop().await;
}

#[actix_web::test]
async fn when_the_server_of_the_database_goes_away_under_load_every_scan_that_was_answered_is_stored_once()
 {
    let database = Database::postgres_of_its_own("goes_away");
    let app = TestApp::start(database).await;
    let code = a_known_poster(&app).await;
    let phones = async {
        let mut given = HashSet::new();
        let mut slowest = Duration::ZERO;
        for _ in 0..300 {
            let began = Instant::now();
            given.insert(scan(&app, &code).await);
            slowest = slowest.max(began.elapsed());
        }
        (given, slowest)
    };
    let accident = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        door("goes_away", false);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(
            worker::replay_journal(&app.app, Duration::MAX)
                .await
                .is_err()
        );
        door("goes_away", true);
    };
    let ((given, slowest), ()) = tokio::join!(phones, accident);
    assert!(slowest < Duration::from_secs(4), "{slowest:?}");
    replay(&app).await;
    let stored = stored(&app).await;
    assert!(given.is_subset(&stored));
    assert_eq!(stored.len(), 301);
    let stats: Value = app.get("/api/v1/stats?from=2024-01-01").await.ok();
    assert_eq!(stats["scans"], 301);
    app.stop().await;
}
