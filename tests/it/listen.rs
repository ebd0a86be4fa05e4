//! `handbill listen`: what happens on a server comes to a program on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Database, TestApp};

/// Answers so many requests with 204 and gives what they were: head and body.
fn receive(listener: TcpListener, count: usize) -> std::thread::JoinHandle<Vec<(String, String)>> {
    std::thread::spawn(move || {
        let mut received = Vec::new();
        while received.len() < count {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("the same"));
            let mut head = String::new();
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a line");
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).expect("an answer");
            received.push((head, String::from_utf8(body).expect("text")));
        }
        received
    })
}

#[actix_web::test]
async fn events_are_printed_and_forwarded_with_a_signature_that_verifies() {
    let app = TestApp::start(Database::sqlite()).await;
    let scan = app.a_scan().await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let receiver = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let received = receive(listener, 2);
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let last = app.get("/api/v1/events?order=desc&limit=1").await.ok();
    let listening = Command::new(env!("CARGO_BIN_EXE_handbill"))
        .args(["listen", "--url", &app.base])
        .env("HANDBILL_KEY", app.caller.key.as_deref().expect("a key"))
        .args([
            "--forward",
            &receiver,
            "--secret",
            secret,
            "--types",
            "referral.*",
            "--count",
            "2",
        ])
        .args(["--after", last["events"][0]["id"].as_str().expect("an id")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program");
    app.wait(1);
    let referral = app.a_referral_from(&scan).await;
    app.wait(1);
    let path = format!(
        "/api/v1/referrals/{}",
        referral["id"].as_str().expect("an id")
    );
    app.put(&path, json!({ "status": "verified" })).await.ok();
    let output = tokio::task::spawn_blocking(|| listening.wait_with_output());
    let output = output.await.expect("an end").expect("an end");
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].contains("referral.created") && lines[0].ends_with("-> 204"),
        "{said}"
    );
    assert!(lines[1].contains("referral.verified"), "{said}");
    let received = received.join().expect("requests");
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
    for (head, body) in &received {
        let header = |name: &str| {
            let line = head
                .lines()
                .find(|line| line.to_lowercase().starts_with(name))
                .expect(name);
            line.split_once(": ").expect("a value").1.trim().to_owned()
        };
        let time = header("webhook-timestamp").parse().expect("a time");
        let signature = webhook
            .sign(&header("webhook-id"), time, body.as_bytes())
            .expect("a signature");
        assert_eq!(header("webhook-signature"), signature);
    }
    let second: Value = serde_json::from_str(&received[1].1).expect("JSON");
    assert_eq!(
        (&second["type"], &second["previous_status"]),
        (&json!("referral.verified"), &json!("pending"))
    );
    assert_eq!(second["data"]["status"], "verified");
    app.stop().await;
}

#[actix_web::test]
async fn a_key_that_is_refused_is_said_in_a_sentence() {
    let app = TestApp::start(Database::sqlite()).await;
    let mut listening = Command::new(env!("CARGO_BIN_EXE_handbill"));
    // What is said goes before what is in the environment.
    listening.args(["listen", "--url", &app.base, "--key", "sk_wrong"]);
    listening.env("HANDBILL_KEY", app.caller.key.as_deref().expect("a key"));
    // Beside the server, which needs this thread.
    let output = tokio::task::spawn_blocking(move || listening.output()).await;
    let output = output.expect("an end").expect("the program");
    assert!(!output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "handbill: Invalid or missing API key\n"
    );
    let without = Command::new(env!("CARGO_BIN_EXE_handbill"))
        .args(["listen", "--url", &app.base])
        .env("HANDBILL_KEY", "")
        .output();
    let said = without.expect("the program").stderr;
    assert!(String::from_utf8_lossy(&said).starts_with("handbill: set HANDBILL_KEY"));
    app.stop().await;
}

#[test]
fn a_server_that_is_not_there_is_said_with_its_address() {
    let mut listening = Command::new(env!("CARGO_BIN_EXE_handbill"))
        .args(["listen", "--url", "http://127.0.0.1:1", "--key", "sk_any"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut errors = BufReader::new(listening.stderr.take().expect("its errors")).lines();
    let line = errors.next().expect("a line").expect("text");
    listening.kill().expect("an end");
    listening.wait().expect("an end");
    assert!(
        line.contains("http://127.0.0.1:1/ does not answer, again in a moment: ")
            && line.contains("refused"),
        "{line}"
    );
}
