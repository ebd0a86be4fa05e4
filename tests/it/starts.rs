//! `handbill serve`, the program: how it starts, what it shows, what it logs, how it stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::command_line::{handbill, json};
use crate::support::process::Process;
use crate::support::{Caller, Database, TestApp};

/// The program, with the log that it writes by itself.
fn serving(database: &Database) -> Child {
    Command::new(env!("CARGO_BIN_EXE_handbill"))
        .env("DATABASE_URL", &database.url)
        .env("HANDBILL_BIND", "127.0.0.1:0")
        .env_remove("RUST_LOG")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server")
}

#[actix_web::test]
async fn a_first_start_makes_an_account_and_shows_its_key_once() {
    for database in [Database::empty_sqlite(), Database::empty_postgres()] {
        for first in [true, false] {
            let mut server = Command::new(env!("CARGO_BIN_EXE_handbill"))
                .env("DATABASE_URL", &database.url)
                .env("HANDBILL_BIND", "127.0.0.1:0")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the server");
            let log = BufReader::new(server.stderr.take().expect("its log")).lines();
            let listening = log
                .map_while(Result::ok)
                .find(|line| line.contains("listening on "))
                .expect("a server");
            let base = listening
                .split("reachable at ")
                .nth(1)
                .expect("a URL")
                .split(',')
                .next()
                .expect("a URL")
                .to_owned();
            if first {
                let mut line = String::new();
                BufReader::new(server.stdout.take().expect("its output"))
                    .read_line(&mut line)
                    .expect("a line");
                let key = line.trim().rsplit(' ').next().expect("a key").to_owned();
                assert!(key.starts_with("sk_"), "{line}");
                Caller::new(&base, Some(key))
                    .get("/api/v1/programs")
                    .await
                    .ok();
            }
            // It listens for signals once it answers.
            Caller::new(&base, None).get("/healthz").await.ok();
            Command::new("kill")
                .arg(server.id().to_string())
                .status()
                .expect("a signal");
            let output = server.wait_with_output().expect("an end");
            assert!(output.status.success(), "SIGTERM is a clean end");
            assert!(output.stdout.is_empty(), "nothing more is shown");
        }
    }
}

#[actix_web::test]
async fn a_key_revoked_by_another_process_is_refused_within_a_second() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start(database).await;
        let url = app.database.url.clone();
        for _ in 0..3 {
            let made = json(&handbill(
                &url,
                &["keys", "create", "--name", "A", "--json"],
            ));
            let key = made["key"].as_str().expect("a key").to_owned();
            let caller = Caller::new(&app.base, Some(key));
            for _ in 0..20 {
                caller
                    .get("/api/v1/programs/unknown")
                    .await
                    .refused_with(404);
            }
            let id = made["id"].as_str().expect("an id");
            json(&handbill(&url, &["keys", "revoke", id, "--json"]));
            tokio::time::sleep(handbill::db::recent::FRESH).await;
            for _ in 0..20 {
                caller
                    .get("/api/v1/programs/unknown")
                    .await
                    .refused_with(401);
            }
        }
        app.stop().await;
    }
}

#[actix_web::test]
async fn processes_that_start_at_once_make_one_first_key() {
    for database in [Database::empty_sqlite(), Database::empty_postgres()] {
        let start = || {
            Command::new(env!("CARGO_BIN_EXE_handbill"))
                .env("DATABASE_URL", &database.url)
                .env("HANDBILL_BIND", "127.0.0.1:0")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the server")
        };
        let mut servers: Vec<_> = (0..5).map(|_| start()).collect();
        let mut up = 0;
        for server in &mut servers {
            let log = BufReader::new(server.stderr.take().expect("its log")).lines();
            let told = log.map_while(Result::ok).find(|line| {
                line.contains("listening on ") || line.contains("another server is running on ")
            });
            let told = told.expect("a server that came up or says why not");
            let Some(base) = told.split("reachable at ").nth(1) else {
                continue;
            };
            up += 1;
            let base = base.split(',').next().expect("a URL");
            Caller::new(base, None).get("/readyz").await.ok();
        }
        assert_eq!(up, if database.is_sqlite() { 1 } else { 5 });
        for server in &servers {
            Command::new("kill")
                .arg(server.id().to_string())
                .status()
                .expect("a signal");
        }
        let shown = servers.into_iter().map(|server| {
            let output = server.wait_with_output().expect("an end");
            String::from_utf8_lossy(&output.stdout)
                .matches("sk_")
                .count()
        });
        assert_eq!(shown.sum::<usize>(), 1);
    }
}

#[test]
fn the_log_can_be_json_and_never_names_anybody() {
    let database = Database::sqlite();
    let key = json(&handbill(
        &database.url,
        &["keys", "create", "--name", "A", "--json"],
    ))["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let mut server = Command::new(env!("CARGO_BIN_EXE_handbill"))
        .env("DATABASE_URL", &database.url)
        .env("HANDBILL_BIND", "127.0.0.1:0")
        .env("HANDBILL_LOG_FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server");
    let mut log = BufReader::new(server.stderr.take().expect("its log")).lines();
    let first = log.find_map(|line| line.ok().filter(|line| line.contains("reachable at ")));
    let first: Value = serde_json::from_str(&first.expect("a server")).expect("JSON");
    let message = first["message"].as_str().expect("a message");
    let base = message
        .split("reachable at ")
        .nth(1)
        .expect("a URL")
        .split(',')
        .next()
        .expect("a URL")
        .to_owned();
    actix_web::rt::System::new().block_on(async {
        let caller = Caller::new(&base, Some(key.clone()));
        let body = serde_json::json!({ "impression_id": "imp_x", "first_name": "Canary", "last_name": "Bird", "email": "canary@example.com" });
        caller.post("/api/v1/referrals", body).await.refused_with(400);
        caller.get("/api/v1/users/canary@example.com").await.refused_with(404);
        caller.get("/api/v1/users?email=canary@example.com").await.ok();
    });
    Command::new("kill")
        .arg(server.id().to_string())
        .status()
        .expect("a signal");
    server.wait().expect("an end");
    let lines: Vec<Value> = log
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
        .collect();
    let requests: Vec<&Value> = lines
        .iter()
        .filter(|line| line["target"] == "handbill::http")
        .collect();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0]["route"], "/api/v1/referrals");
    assert_eq!(requests[0]["status"], 400);
    assert!(
        requests[0]["request_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("req_"))
    );
    let everything = format!("{lines:?}").to_lowercase();
    for canary in ["canary", "bird", &key.to_lowercase()] {
        assert!(!everything.contains(canary), "{canary}");
    }
}

#[test]
fn a_log_warns_of_a_missing_public_url_and_takes_nobodys_noise_for_an_error() {
    let database = Database::empty_sqlite();
    let mut server = serving(&database);
    let mut log = BufReader::new(server.stderr.take().expect("its log"))
        .lines()
        .map_while(Result::ok);
    let warning = log.find(|line| line.contains("WARN")).expect("a warning");
    assert!(
        warning.contains(
            "HANDBILL_PUBLIC_URL is not set: posters that are printed now lead to http://localhost:"
        ),
        "{warning}"
    );
    let listening = log
        .find(|line| line.contains("listening on "))
        .expect("a server");
    let address = listening.split("listening on ").nth(1).expect("an address");
    let address = address.split(',').next().expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(b"\0\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    server.kill().expect("a signal");
    server.wait().expect("an end");
    let errors: Vec<String> = log.filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn a_log_warns_of_a_server_that_does_not_sync() {
    // The tests' own cluster does not.
    for (database, is_warned_of) in [
        (Database::empty_postgres(), true),
        (Database::empty_sqlite(), false),
    ] {
        let mut server = serving(&database);
        let log = BufReader::new(server.stderr.take().expect("its log")).lines();
        let before: Vec<String> = log
            .map_while(Result::ok)
            .take_while(|line| !line.contains("listening on "))
            .collect();
        server.kill().expect("a signal");
        server.wait().expect("an end");
        let warned = before
            .iter()
            .any(|line| line.contains("WARN") && line.contains("fsync"));
        assert_eq!(warned, is_warned_of, "{before:?}");
    }
}

#[test]
fn an_empty_filter_of_the_log_is_none() {
    let server = Process::start_with(&Database::sqlite(), &[("RUST_LOG", "")]);
    assert!(server.stop(), "it has said where it is reachable");
}
