//! One key that floods, and the others.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use handbill::db::DbConnection;
use serde_json::json;

use crate::support::{Database, a_signup, on_both};

/// Takes the tables away from all who write, until it is dropped.
fn lock(database: &Database) -> DbConnection {
    let mut conn = database.connect();
    let lock = match database.is_sqlite() {
        true => "BEGIN IMMEDIATE",
        false => "BEGIN; LOCK TABLE programs IN EXCLUSIVE MODE",
    };
    conn.batch_execute(lock).expect("the lock");
    conn
}

fn a_program() -> serde_json::Value {
    json!({ "name": "P", "landing_url": "https://example.com/", "commission_rate": 10 })
}

on_both! {
    with [("HANDBILL_KEY_CONCURRENCY", "8"), ("HANDBILL_DATABASE_CONNECTIONS", "16")] =>
    async fn a_key_has_so_many_requests_at_once_and_others_have_theirs(app: &TestApp) {
        let stranger = app.stranger().await;
        let poster = app.a_poster().await;
        let code = poster["code"].as_str().expect("a code").to_owned();
        let lock = lock(&app.database);
        let flood = join_all((0..50).map(|_| app.post("/api/v1/programs", a_program())));
        let others = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let began = Instant::now();
            app.get("/api/v1/programs").await.refused_with(429);
            stranger.get("/api/v1/programs").await.ok();
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
            drop(lock);
            stranger.post("/api/v1/programs", a_program()).await.ok();
            assert_eq!(app.nobody().get(&format!("/q/{code}")).await.status, 302);
        };
        let (answers, ()) = tokio::join!(flood, others);
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
        assert_eq!(refused.len(), 42);
        for answer in refused {
            assert_eq!(answer.refused_with(429)["code"], "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 8);
        app.get("/api/v1/programs").await.ok();
    }

    async fn whoever_hangs_up_and_asks_again_gains_nothing(app: &TestApp) {
        let lock = lock(&app.database);
        let body = a_program().to_string();
        let request = format!(
            "POST /api/v1/programs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            app.key.as_deref().expect("a key"),
            body.len()
        );
        for _ in 0..8 {
            let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).expect("a connection");
            stream.write_all(request.as_bytes()).expect("sent");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        app.get("/api/v1/programs").await.refused_with(429);
        drop(lock);
        let began = Instant::now();
        while app.get("/api/v1/programs").await.status == 429 {
            assert!(began.elapsed() < Duration::from_secs(10), "the places come back");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

on_both! {
    with [("HANDBILL_KEY_CONCURRENCY", "64")] =>
    async fn one_key_that_floods_does_not_starve_another(app: &TestApp) {
        let stranger = app.stranger().await;
        let (mine, theirs) = (app.a_scan().await, stranger.a_scan().await);
        let flood = join_all((0..200).map(|_| async {
            loop {
                let answer = app.post("/api/v1/referrals", a_signup(&mine)).await;
                assert!(matches!(answer.status, 200 | 429), "{}", answer.status);
                if answer.status == 429 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }));
        let other = async {
            let mut slowest = Duration::ZERO;
            for _ in 0..20 {
                let began = Instant::now();
                stranger.a_referral_from(&theirs).await;
                slowest = slowest.max(began.elapsed());
            }
            slowest
        };
        let slowest = tokio::select! {
            _ = flood => unreachable!("the flood never ends"),
            slowest = other => slowest,
        };
        // Behind the flood's share of the queue, not behind all of the flood.
        assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    }
}
