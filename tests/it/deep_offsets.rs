//! Pages by offset start from places that the server remembers. Nobody can tell: whatever is asked, in whatever
//! order, while whatever is written, the answers are those of a server that counts from the first row.

use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use handbill::clock::Clock;
use handbill::db::positions::Positions;
use serde_json::{Value, json};

use crate::support::{Database, TestApp, on_both};

/// A server that remembers as much as it may: every third row.
fn remembering(app: &TestApp) -> TestApp {
    app.beside(Positions::new(3, 0))
}

/// A server that counts from the first row.
fn counting(app: &TestApp) -> TestApp {
    app.beside(Positions::new(i64::MAX, 0))
}

/// A new scan, and so many referrals from it.
async fn some_referrals(app: &TestApp, count: usize) -> Value {
    let scan = app.a_scan().await;
    for _ in 0..count {
        app.a_referral_from(&scan).await;
    }
    scan
}

/// Everything that an answer says, links too; but where the server is, which is in some of them.
async fn page(of: &TestApp, path: &str) -> String {
    let answer = of.get(&format!("/api/v1/{path}")).await;
    answer.ok();
    let links = answer.header("link").unwrap_or_default();
    format!("{}\n{links}", answer.text()).replace(&of.app.public_url, "")
}

/// Asks both the same.
async fn agree(one: &TestApp, other: &TestApp, path: &str) {
    assert_eq!(page(one, path).await, page(other, path).await, "{path}");
}

/// Walks through a list by offset; the ids.
async fn walk(of: &TestApp, list: &str, query: &str, limit: usize) -> Vec<Value> {
    let mut ids = Vec::new();
    loop {
        let path = format!("/api/v1/{list}?{query}limit={limit}&offset={}", ids.len());
        let page = of.get(&path).await.ok();
        let rows = page[list].as_array().expect("an array");
        ids.extend(rows.iter().map(|row| row["id"].clone()));
        if page["has_more"] == json!(false) {
            return ids;
        }
    }
}

/// Walks through the referrals by cursor; the ids.
async fn follow(of: &TestApp) -> Vec<Value> {
    let mut ids: Vec<Value> = Vec::new();
    loop {
        let after = ids.last().and_then(Value::as_str).unwrap_or("ref_0");
        let path = format!("/api/v1/referrals?limit=50&after={after}");
        let page = of.get(&path).await.ok();
        let rows = page["referrals"].as_array().expect("an array");
        ids.extend(rows.iter().map(|row| row["id"].clone()));
        if page["has_more"] == json!(false) {
            return ids;
        }
    }
}

/// Numbers that look random and are the same at every run.
fn dice() -> impl FnMut(u64) -> u64 {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |sides| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % sides
    }
}

on_both! {
    async fn a_walk_by_offset_gives_every_row_once_and_equals_the_walk_by_cursor(app: &TestApp) {
        some_referrals(app, 60).await;
        let server = remembering(app);
        let expected = follow(&server).await;
        assert_eq!(expected.len(), 60);
        for limit in [1, 4, 7, 4, 100] {
            assert_eq!(walk(&server, "referrals", "", limit).await, expected, "{limit} at a time");
        }
        server.stop().await;
    }

    /// The walk takes no notice of a row that is gone from before where it is: it counts from a place it knows.
    async fn rows_deleted_by_hand_are_noticed_when_a_walk_comes_by(app: &TestApp) {
        some_referrals(app, 30).await;
        let (server, plain) = (remembering(app), counting(app));
        let before = walk(&server, "referrals", "", 5).await;
        let deep = page(&server, "referrals?limit=5&offset=20").await;
        app.database.connect()
            .batch_execute("DELETE FROM referrals WHERE id IN (SELECT id FROM referrals ORDER BY id LIMIT 1)")
            .expect("a deletion");
        assert_eq!(page(&server, "referrals?limit=5&offset=20").await, deep, "from memory");
        walk(&server, "referrals", "", 5).await;
        assert_eq!(walk(&server, "referrals", "", 5).await, before[1..]);
        agree(&server, &plain, "referrals?limit=5&offset=20").await;
        server.stop().await;
        plain.stop().await;
    }

    async fn filters_and_accounts_do_not_mix(app: &TestApp) {
        let stranger = app.stranger().await;
        let (one, other) = (some_referrals(app, 20).await, some_referrals(app, 20).await);
        let strange = stranger.a_scan().await;
        for _ in 0..10 {
            stranger.a_referral_from(&strange).await;
            app.a_referral_from(&one).await;
            app.a_referral_from(&other).await;
        }
        let (mut server, mut plain) = (remembering(app), counting(app));
        for offset in 0..62 {
            for key in [&app.caller.key, &stranger.key] {
                server.caller.key.clone_from(key);
                plain.caller.key.clone_from(key);
                for filter in [
                    String::new(),
                    format!("programId={}&", one["program_id"].as_str().expect("an id")),
                    format!("program_id={}&", other["program_id"].as_str().expect("an id")),
                    format!("studentId={}&", other["student_id"].as_str().expect("an id")),
                    format!(
                        "studentId={}&programId={}&",
                        one["student_id"].as_str().expect("an id"),
                        other["program_id"].as_str().expect("an id")
                    ),
                ] {
                    let path = format!("referrals?{filter}limit=4&offset={offset}");
                    agree(&server, &plain, &path).await;
                }
            }
        }
        server.stop().await;
        plain.stop().await;
    }

    async fn a_status_filter_stays_exact_while_statuses_change(app: &TestApp) {
        let scan = app.a_scan().await;
        let mut ids = Vec::new();
        for _ in 0..40 {
            ids.push(app.a_referral_from(&scan).await["id"].clone());
        }
        let (server, plain) = (remembering(app), counting(app));
        walk(&server, "referrals", "status=pending&", 4).await;
        for (turn, id) in ids.iter().step_by(3).enumerate() {
            let id = id.as_str().expect("an id");
            app.put(&format!("/api/v1/referrals/{id}"), json!({ "status": "converted" })).await.ok();
            for status in ["pending", "converted"] {
                let path = format!("referrals?status={status}&limit=4&offset={}", turn * 2);
                agree(&server, &plain, &path).await;
            }
        }
        server.stop().await;
        plain.stop().await;
    }

    async fn the_newest_first_stays_exact_while_rows_are_being_added(app: &TestApp) {
        let scan = some_referrals(app, 20).await;
        let (server, plain) = (remembering(app), counting(app));
        for offset in 0..25 {
            let path = format!("referrals?order=desc&limit=4&offset={offset}");
            agree(&server, &plain, &path).await;
            app.a_referral_from(&scan).await;
        }
        server.stop().await;
        plain.stop().await;
    }

    async fn a_scan_reported_late_moves_the_scans_after_it(app: &TestApp) {
        let poster = app.a_poster().await;
        for _ in 0..30 {
            app.a_scan_of(&poster).await;
        }
        let (server, plain) = (remembering(app), counting(app));
        assert_eq!(walk(&server, "impressions", "", 5).await.len(), 30);
        let late = json!({ "poster_id": poster["id"], "scanned_at": "2024-01-15T10:30:00Z" });
        app.post("/api/v1/impressions", late).await.ok();
        for offset in (0..32).rev() {
            let path = format!("impressions?limit=5&offset={offset}");
            agree(&server, &plain, &path).await;
        }
        server.stop().await;
        plain.stop().await;
    }

    async fn offsets_in_any_order_give_what_a_server_without_memory_gives(app: &TestApp) {
        let (server, plain) = (remembering(app), counting(app));
        let mut dice = dice();
        for turn in 0..120 {
            if turn % 4 == 0 {
                app.an_earning().await;
            }
            let lists = ["programs", "users", "posters", "impressions", "referrals", "earnings"];
            let list = lists[turn % lists.len()];
            let path = format!("{list}?limit={}&offset={}", 1 + dice(9), dice(35));
            agree(&server, &plain, &path).await;
        }
        server.stop().await;
        plain.stop().await;
    }
}

/// The pages of a list, the last one first: on the way forward a server notices what it remembers wrongly.
async fn agree_backwards(one: &TestApp, other: &TestApp, rows: usize) {
    for offset in (0..=rows).rev() {
        agree(one, other, &format!("referrals?limit=2&offset={offset}")).await;
    }
}

/// Several servers write with the clock of the database, and another follows and remembers as soon as it may.
#[actix_web::test]
async fn a_walk_by_offset_stays_exact_while_rows_are_being_added() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &[], Clock::System).await;
        let scan = some_referrals(&app, 10).await;
        let (server, plain, writer) = (remembering(&app), counting(&app), counting(&app));
        let done = AtomicBool::new(false);
        let write = async {
            let writers = (0..8).map(async |n| {
                for _ in 0..60 {
                    let caller = if n % 2 == 0 { &app } else { &writer };
                    caller.a_referral_from(&scan).await;
                }
            });
            join_all(writers).await;
            done.store(true, Ordering::SeqCst);
        };
        let read = async {
            let mut offset = 0;
            while !done.load(Ordering::SeqCst) {
                let path = format!("/api/v1/referrals?limit=5&offset={offset}");
                let page = server.get(&path).await.ok();
                offset += page["referrals"].as_array().expect("an array").len();
            }
        };
        join(write, read).await;
        agree_backwards(&server, &plain, 490).await;
        assert_eq!(walk(&server, "referrals", "", 7).await, follow(&app).await);
        for each in [server, plain, writer, app] {
            each.stop().await;
        }
    }
}

/// On PostgreSQL a write can take its moment and be slow to commit, and its row is then listed before others.
#[actix_web::test]
async fn a_row_that_becomes_visible_late_is_counted() {
    let app = TestApp::start_at(Database::postgres(), &[], Clock::System).await;
    let scan = some_referrals(&app, 10).await;
    let (server, plain) = (remembering(&app), counting(&app));
    let mut slow = app.database.connect();
    slow.batch_execute(
        "BEGIN; SELECT pg_advisory_xact_lock_shared(26722, \
         (floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint & 2147483647)::int)",
    )
    .expect("a write that has begun");
    let next = app.a_referral_from(&scan).await;
    let next = next["id"].as_str().expect("an id");
    for _ in 0..10 {
        app.a_referral_from(&scan).await;
    }
    assert_eq!(walk(&server, "referrals", "", 3).await.len(), 21);
    slow.batch_execute(&format!(
        "CREATE TEMPORARY TABLE late AS SELECT * FROM referrals WHERE id = '{next}'; \
         UPDATE late SET id = left(id, 14) || '0000000000'; \
         INSERT INTO referrals SELECT * FROM late; COMMIT"
    ))
    .expect("a write that ends");
    agree_backwards(&server, &plain, 22).await;
    for each in [server, plain, app] {
        each.stop().await;
    }
}
