//! Clients that are slow, silent or gone: each is given up in time, and the others do not notice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::web;

use crate::support::{Database, TestApp, on_both};

/// A connection of somebody who can wait.
fn connect(base: &str) -> TcpStream {
    let stream = TcpStream::connect(base.trim_start_matches("http://")).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .expect("a timeout");
    stream
}

/// What comes until the server hangs up.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    if let Err(error) = stream.read_to_end(&mut all) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "it hangs on");
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// An answer without what may follow it.
fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let length = stream.read(&mut bytes).expect("an answer");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Sends a byte now and then, until the server has hung up.
fn drip(stream: &TcpStream) {
    let mut stream = stream.try_clone().expect("the same connection");
    thread::spawn(move || {
        while stream.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(500));
        }
    });
}

/// Takes a little every half a second, for as long as there is anybody.
fn sip(stream: &TcpStream) {
    let mut stream = stream.try_clone().expect("the same connection");
    thread::spawn(move || {
        while stream.read(&mut [0; 4096]).is_ok_and(|taken| taken > 0) {
            thread::sleep(Duration::from_millis(500));
        }
    });
}

const HELLO: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a client does before it waits for the end.
type Client = fn(&mut TcpStream);

/// So many of each of these clients at once: how long the server had patience with each, and what it said. Meanwhile
/// others are served.
async fn patience_with(
    app: &TestApp,
    how_many: usize,
    clients: &[Client],
) -> Vec<(Duration, String)> {
    let clients = (0..how_many).flat_map(|_| clients.to_vec()).map(|client| {
        let base = app.base.clone();
        web::block(move || {
            let mut stream = connect(&base);
            client(&mut stream);
            let began = Instant::now();
            let said = rest(&mut stream);
            (began.elapsed(), said)
        })
    });
    let clients = futures_util::future::join_all(clients);
    tokio::select! {
        done = clients => done.into_iter().map(|one| one.expect("a client")).collect(),
        () = others_are_served(app) => unreachable!("others never end"),
    }
}

async fn others_are_served(app: &TestApp) {
    loop {
        let began = Instant::now();
        app.get("/api/v1/programs").await.ok();
        assert!(began.elapsed() < Duration::from_secs(5), "others wait");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Nobody was hung up on at once, nor kept for long.
fn all_within(patience: &[(Duration, String)], least: u64, most: u64) {
    for (waited, said) in patience {
        let within = Duration::from_secs(least)..Duration::from_secs(most);
        assert!(within.contains(waited), "{waited:?}: {said}");
    }
}

on_both! {
    async fn a_head_that_never_comes_or_byte_by_byte_is_given_up(app: &TestApp) {
        let silent: Client = |_| {};
        let slow: Client = |stream| {
            stream.write_all(b"GET /healthz?").expect("sent");
            drip(stream);
        };
        let patience = patience_with(app, 10, &[silent, slow]).await;
        all_within(&patience, 4, 12);
        assert!(patience.iter().all(|(_, said)| said.starts_with("HTTP/1.1 408")), "{patience:?}");
    }

    async fn a_head_that_comes_byte_by_byte_after_a_first_request_is_given_up_too(app: &TestApp) {
        let slow: Client = |stream| {
            stream.write_all(HELLO).expect("sent");
            assert!(answer(stream).starts_with("HTTP/1.1 200"));
            stream.write_all(b"GET /healthz?").expect("sent");
            drip(stream);
        };
        all_within(&patience_with(app, 10, &[slow]).await, 4, 13);
    }
}

#[actix_web::test]
async fn a_body_that_comes_byte_by_byte_is_given_up() {
    let app = TestApp::start(Database::sqlite()).await;
    let (base, key) = (app.base.clone(), app.key.clone().expect("a key"));
    let slow = web::block(move || {
        let mut stream = connect(&base);
        let head = format!(
            "POST /api/v1/referrals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("sent");
        let began = Instant::now();
        drip(&stream);
        (began.elapsed(), answer(&mut stream))
    });
    let (waited, said) = tokio::select! {
        slow = slow => slow.expect("an answer"),
        () = others_are_served(&app) => unreachable!("others never end"),
    };
    assert!(waited < Duration::from_secs(20), "{waited:?}");
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("\"request_timeout\""), "{said}");
    app.stop().await;
}

#[actix_web::test]
async fn whoever_does_not_take_his_answers_is_hung_up_on() {
    let app = TestApp::start(Database::sqlite()).await;
    let open = || app.app.admission.connections.open();
    // More answers than the system keeps for anybody.
    let ask = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(200);
    let lazy: Vec<_> = (0..20)
        .map(|n| {
            let mut stream = connect(&app.base);
            stream.write_all(&ask).expect("sent");
            // Every other one takes a little now and then.
            if n % 2 == 0 {
                sip(&stream);
            }
            stream
        })
        .collect();
    let begun = Instant::now();
    let wait_for = async |enough: &dyn Fn(usize) -> bool| {
        while !enough(open()) {
            assert!(begun.elapsed() < Duration::from_mins(1), "{}", open());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let (all_are_here, most_are_gone) = (
        |open: usize| open >= lazy.len(),
        |open: usize| open < lazy.len() / 4,
    );
    wait_for(&all_are_here).await;
    tokio::select! {
        () = wait_for(&most_are_gone) => {}
        () = others_are_served(&app) => unreachable!("others never end"),
    }
    assert!(
        begun.elapsed() > Duration::from_secs(10),
        "they had their time"
    );
    app.stop().await;
}

on_both! {
    with [("HANDBILL_KEEP_ALIVE_SECONDS", "2")] =>
    async fn a_connection_rests_as_long_as_the_settings_say(app: &TestApp) {
        let polite: Client = |stream| {
            for _ in 0..3 {
                stream.write_all(HELLO).expect("sent");
                assert!(answer(stream).starts_with("HTTP/1.1 200"));
                thread::sleep(Duration::from_secs(1));
            }
        };
        all_within(&patience_with(app, 5, &[polite]).await, 0, 6);
    }
}

on_both! {
    with [("HANDBILL_CONNECTIONS", "6")] =>
    async fn beyond_the_connections_that_there_may_be_one_waits_for_a_place(app: &TestApp) {
        let base = app.base.clone();
        let silent = web::block({
            let base = base.clone();
            move || (0..8).map(|_| connect(&base)).collect::<Vec<_>>()
        });
        let silent = silent.await.expect("connections");
        let open = || app.app.admission.connections.open();
        assert!(open() <= 6, "{}", open());
        let began = Instant::now();
        app.get("/api/v1/programs").await.ok();
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        drop(silent);
        // Twenty who would like to stay, where there is room for six: nobody waits until another one's rest is over.
        let guests = (0..20).map(|_| {
            let base = base.clone();
            web::block(move || {
                let mut stream = connect(&base);
                let began = Instant::now();
                stream.write_all(HELLO).expect("sent");
                assert!(answer(&mut stream).starts_with("HTTP/1.1 200"));
                (began.elapsed(), stream)
            })
        });
        let guests = futures_util::future::join_all(guests).await;
        for guest in guests {
            let (waited, _) = guest.expect("a guest");
            assert!(waited < Duration::from_secs(15), "{waited:?}");
        }
        assert!(open() <= 6, "{}", open());
    }
}
