//! Below the routes: broken requests, panics, HEAD.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use actix_web::{HttpResponse, test, web};
use reqwest::Method;

use crate::support::on_both;

/// Sends bytes as they are and reads until the server closes or is silent.
fn raw(base: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .expect("a timeout");
    stream.write_all(request).expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

on_both! {
    async fn head_is_get_without_the_body(app: &TestApp) {
        let program = app.a_program().await;
        let path = format!("/api/v1/programs/{}", program["id"].as_str().expect("an id"));
        for path in [&*path, "/api/v1/programs", "/healthz", "/openapi.json", "/api/v1/programs/unknown"] {
            let got = app.get(path).await;
            let headed = app.send(Method::HEAD, path, &[], None::<String>).await;
            assert_eq!(headed.status, got.status, "{path}");
            assert_eq!(headed.header("content-length"), Some(&*got.bytes.len().to_string()), "{path}");
            assert!(headed.bytes.is_empty(), "{path}");
        }
    }
}

on_both! {
    async fn a_panic_is_an_answer_in_the_one_shape(app: &TestApp) {
        async fn panics() -> HttpResponse {
            panic!("a defect")
        }
        let service = handbill::app::build(app.app.clone()).route("/panics", web::get().to(panics));
        let service = test::init_service(service).await;
        let request = test::TestRequest::get()
            .uri("/panics")
            .insert_header(("x-request-id", "mine"))
            .to_request();
        let error = test::try_call_service(&service, request)
            .await
            .expect_err("an error");
        let response = error.error_response();
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.headers().get("x-request-id").expect("an id"),
            "mine"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(response.headers().get(name).expect(name), value);
        }
        let body = actix_web::body::to_bytes(response.into_body())
            .await
            .expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["error"], "Internal Server Error");
        assert_eq!(body["code"], "internal_error");
        assert_eq!(body["request_id"], "mine");
        assert!(
            !body.to_string().contains("defect"),
            "the cause stays in the log"
        );
    }
}

on_both! {
    async fn a_write_that_panics_fails_alone(app: &TestApp) {
        let broken = app
            .app
            .db
            .write(|_, _| -> Result<(), handbill::error::Error> { panic!("a defect") })
            .await;
        assert!(matches!(broken, Err(handbill::error::Error::Internal(_))));
        app.a_program().await;
    }
}

on_both! {
    async fn broken_requests_are_turned_away_and_the_server_goes_on(app: &TestApp) {
        let base = app.base.clone();
        let answers = web::block(move || {
            [
                &b"\x00\x01\x02\r\n\r\n"[..],
                b"GET / HTTP/9.9\r\n\r\n",
                b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                b"POST /api/v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                b"POST /api/v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            ]
            .map(|request| raw(&base, request))
        })
        .await
        .expect("answers");
        for answer in answers {
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
                "{answer}"
            );
        }
        app.get("/healthz").await.ok();
    }
}

on_both! {
    async fn a_key_that_is_no_text_is_refused(app: &TestApp) {
        let (base, key) = (app.base.clone(), app.key.clone().expect("a key"));
        let head = format!(
            "POST /api/v1/programs HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 48\r\nIdempotency-Key: caf"
        );
        let body = r#"{"name":"A","landing_url":"https://example.com"}"#;
        let request = [head.as_bytes(), b"\xe9", b"\r\n\r\n", body.as_bytes()].concat();
        let answer = web::block(move || raw(&base, &request)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("Idempotency-Key must be 1 to 255 printable characters"), "{answer}");
        assert!(app.all("programs").await.is_empty());
    }
}

on_both! {
    async fn requests_sent_at_once_are_answered_each_as_it_asked(app: &TestApp) {
        let (base, key) = (app.base.clone(), app.key.clone().expect("a key"));
        let request = move |what: &str| match what {
            "POST" => {
                let body = r#"{"name":"A","landing_url":"https://example.com"}"#;
                let length = body.len();
                format!(
                    "POST /api/v1/programs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
                     Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            }
            "CHUNKS" => format!(
                "POST /api/v1/programs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
                 Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                 2;a=b\r\n{{}}\r\n0\r\n\r\n"
            ),
            method => format!("{method} /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
        };
        let wanted = |what: &str| match what {
            "GET" | "POST" => ("200", true),
            "HEAD" => ("200", false),
            "CHUNKS" => ("400", true),
            _ => ("405", true),
        };
        for batch in [
            &["GET", "HEAD"][..],
            &["GET", "GET", "HEAD"],
            &["HEAD", "HEAD", "GET"],
            &["POST", "HEAD", "POST", "GET", "HEAD"],
            &["CHUNKS", "HEAD", "DELETE", "HEAD"],
            &["GET"; 40],
        ] {
            let mut bytes: String = batch.iter().map(|what| request(what)).collect();
            bytes.insert_str(bytes.rfind("Host:").expect("a head"), "Connection: close\r\n");
            let base = base.clone();
            let answer = web::block(move || raw(&base, bytes.as_bytes())).await.expect("an answer");
            assert_eq!(answers_in(&answer, batch), batch.iter().map(|what| wanted(what)).collect::<Vec<_>>(), "{answer}");
        }
    }
}

/// The statuses in what a server said to `methods`, and whether each had a body.
fn answers_in<'a>(mut said: &'a str, methods: &[&str]) -> Vec<(&'a str, bool)> {
    let mut answers = Vec::new();
    for method in methods {
        let Some((head, rest)) = said.split_once("\r\n\r\n") else {
            break;
        };
        let status = &head["HTTP/1.1 ".len()..][..3];
        let length = head.to_ascii_lowercase();
        let (_, length) = length.split_once("content-length: ").expect("a length");
        let length: usize = length
            .lines()
            .next()
            .expect("a line")
            .parse()
            .expect("a number");
        let has_body = *method != "HEAD" && rest.len() >= length;
        said = if has_body { &rest[length..] } else { rest };
        answers.push((status, has_body));
    }
    assert_eq!(said, "", "nothing else is said");
    answers
}

on_both! {
    async fn nothing_is_answered_after_the_last_request(app: &TestApp) {
        let base = app.base.clone();
        let bytes = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n\
            DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = web::block(move || raw(&base, bytes)).await.expect("an answer");
        assert_eq!(answers_in(&answer, &["GET"]), [("200", true)], "{answer}");
    }
}
