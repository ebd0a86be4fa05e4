//! A server that is told to stop while it has a lot to do: it finishes what it has accepted, loses nothing, and ends in
//! time.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use actix_web::web;
use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::command_line::{handbill, json};
use crate::killed::{moment, must_add_up};
use crate::support::process::Process;
use crate::support::traffic::Traffic;
use crate::support::{Caller, Database, a_signup};

fn a_key(database: &Database) -> String {
    let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
    json(&made)["key"].as_str().expect("a key").to_owned()
}

/// How long it took.
async fn stop(server: Process) -> Duration {
    let began = Instant::now();
    let ended_well = web::block(move || server.stop()).await.expect("an end");
    assert!(ended_well);
    began.elapsed()
}

#[actix_web::test]
async fn requests_that_wait_when_the_server_is_told_to_stop_are_answered_and_kept() {
    for database in [Database::sqlite(), Database::postgres()] {
        let key = Some(a_key(&database));
        let server = Process::start(&database);
        let caller = Caller::new(&server.base, key.clone());
        let scan = caller.a_scan().await;
        let mut lock = database.connect();
        let (take, give_back) = match database.is_sqlite() {
            true => ("BEGIN IMMEDIATE", "ROLLBACK"),
            false => ("BEGIN; LOCK TABLE referrals IN EXCLUSIVE MODE", "ROLLBACK"),
        };
        lock.batch_execute(take).expect("the lock");
        let signups = join_all((0..40).map(|number| {
            let mut body = a_signup(&scan);
            body["idempotency_key"] = json!(number.to_string());
            caller.post("/api/v1/referrals", body)
        }));
        let end = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let ended = actix_web::rt::spawn(stop(server));
            tokio::time::sleep(Duration::from_millis(200)).await;
            lock.batch_execute(give_back).expect("the end of it");
            ended.await.expect("an end")
        };
        // A connection that broke would be a panic: each of the forty has an answer.
        let (answers, took) = tokio::join!(signups, end);
        assert!(took < Duration::from_secs(30), "{took:?}");
        let server = Process::start(&database);
        let caller = Caller::new(&server.base, key);
        let stored = caller.all("referrals").await;
        let stored: Vec<&Value> = stored.iter().map(|referral| &referral["id"]).collect();
        let made: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .collect();
        assert!(made.len() > 30, "{} of 40", made.len());
        assert_eq!(stored.len(), made.len());
        for answer in made {
            assert!(stored.contains(&&answer.json()["id"]));
        }
        assert!(server.stop());
    }
}

#[actix_web::test]
async fn a_server_that_is_told_to_stop_under_load_ends_in_time_and_keeps_what_it_acknowledged() {
    for database in [Database::sqlite(), Database::postgres()] {
        let key = a_key(&database);
        let server = Process::start(&database);
        let traffic = Traffic::prepare(&Caller::new(&server.base, Some(key))).await;
        assert!(server.stop());
        let mut acknowledged = 0;
        for turn in 0..4 {
            let server = Process::start(&database);
            let base = server.base.clone();
            let end = async {
                tokio::time::sleep(Duration::from_millis(300) + moment(turn)).await;
                stop(server).await
            };
            let (took, ()) = tokio::join!(end, traffic.flow(&base, turn, Duration::from_secs(30)));
            assert!(took < Duration::from_secs(30), "{took:?}");
            must_add_up(&database);
            acknowledged += traffic.acknowledged();
            let server = Process::start(&database);
            assert_eq!(traffic.missing(&server.base).await, Vec::<String>::new());
            assert!(server.stop());
        }
        assert!(acknowledged > 20, "{acknowledged}");
    }
}

#[actix_web::test]
async fn clients_that_hang_do_not_hold_up_a_server_that_is_told_to_stop() {
    for database in [Database::sqlite(), Database::postgres()] {
        let key = a_key(&database);
        let server = Process::start_with(&database, &[("HANDBILL_SHUTDOWN_SECONDS", "3")]);
        let connect = || {
            let address = server.base.trim_start_matches("http://");
            let stream = TcpStream::connect(address).expect("a connection");
            let timeout = Some(Duration::from_secs(1));
            stream.set_write_timeout(timeout).expect("a timeout");
            stream
        };
        let mut hanging = Vec::new();
        for _ in 0..3 {
            let mut lazy = connect();
            let ask = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
            let _ = (0..200).try_for_each(|_| lazy.write_all(ask));
            let mut slow = connect();
            let head = format!(
                "POST /api/v1/referrals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
                 Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
            );
            slow.write_all(head.as_bytes()).expect("sent");
            hanging.extend([lazy, slow, connect()]);
        }
        let took = stop(server).await;
        assert!(took < Duration::from_secs(10), "{took:?}");
        drop(hanging);
    }
}
