//! `/q/{code}`: where phones arrive.

use diesel::connection::SimpleConnection;
use handbill::db::DbConnection;
use handbill::db::positions::Positions;
use handbill::db::recent;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Database, TestApp, on_both};

const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) Mobile/15E148 Safari/604.1";

fn scan_path(poster: &Value) -> String {
    format!("/q/{}", poster["code"].as_str().expect("a code"))
}

on_both! {
    async fn a_scan_is_recorded_and_sent_on_with_its_id(app: &TestApp) {
        let poster = app.a_poster().await;
        let headers = [("user-agent", PHONE), ("referer", "https://social.example/u/somebody")];
        let answer = app.nobody().send(Method::GET, &scan_path(&poster), &headers, None::<String>).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let scans = app.all("impressions").await;
        assert_eq!(scans, [json!({
            "id": scans[0]["id"], "poster_id": poster["id"], "program_id": poster["program_id"],
            "student_id": poster["student_id"], "scanned_at": "2024-03-01T09:00:00Z", "user_agent": PHONE,
            "ip_address": "127.0.0.1", "metadata": { "device_type": "mobile", "referrer": "social.example" },
        })]);
        let id = scans[0]["id"].as_str().expect("an id");
        let landing = format!("https://example.com/join?utm_source=poster&impression_id={id}");
        assert_eq!(answer.header("location"), Some(&*landing));
        app.a_referral_from(&scans[0]).await;
    }

    async fn every_scan_is_a_scan_of_its_own(app: &TestApp) {
        let poster = app.a_poster().await;
        let mut landings = std::collections::HashSet::new();
        for _ in 0..500 {
            let answer = app.nobody().get(&scan_path(&poster)).await;
            assert_eq!(answer.status, 302, "a crowd behind one address is not limited");
            landings.insert(answer.header("location").expect("a location").to_owned());
        }
        assert_eq!(landings.len(), 500);
        assert_eq!(app.all("impressions").await.len(), 500);
    }

    async fn head_answers_the_same_and_records_nothing(app: &TestApp) {
        let poster = app.a_poster().await;
        let answer = app.nobody().send(Method::HEAD, &scan_path(&poster), &[], None::<String>).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("https://example.com/join?utm_source=poster"));
        let spelt = scan_path(&poster).replace("/q/", "/%71/");
        let again = app.nobody().send(Method::HEAD, &spelt, &[], None::<String>).await;
        assert_eq!((again.status, again.header("location")), (302, answer.header("location")));
        assert!(app.all("impressions").await.is_empty());
    }

    async fn a_destination_that_was_copied_after_a_scan_leads_on_with_the_new_one(app: &TestApp) {
        let poster = app.a_poster().await;
        let path = format!("/api/v1/posters/{}", poster["id"].as_str().expect("an id"));
        app.put(&path, json!({ "landing_url": "https://example.com/x?impression_id=imp_old&b=%20#top" })).await.ok();
        let looked = app.nobody().send(Method::HEAD, &scan_path(&poster), &[], None::<String>).await;
        assert_eq!(looked.header("location"), Some("https://example.com/x?b=%20#top"));
        let answer = app.nobody().get(&scan_path(&poster)).await;
        let id = app.all("impressions").await[0]["id"].as_str().expect("an id").to_owned();
        let landing = format!("https://example.com/x?b=%20&impression_id={id}#top");
        assert_eq!(answer.header("location"), Some(&*landing));
    }

    async fn a_posters_own_destination_comes_before_the_programs(app: &TestApp) {
        let poster = app.a_poster().await;
        let path = format!("/api/v1/posters/{}", poster["id"].as_str().expect("an id"));
        app.put(&path, json!({ "landing_url": "https://example.com/x?a=1&b=%20#top" })).await.ok();
        let answer = app.nobody().get(&scan_path(&poster)).await;
        let id = app.all("impressions").await[0]["id"].as_str().expect("an id").to_owned();
        let landing = format!("https://example.com/x?a=1&b=%20&impression_id={id}#top");
        assert_eq!(answer.header("location"), Some(&*landing));
    }

    async fn what_another_process_changes_leads_phones_elsewhere_within_a_second(app: &TestApp) {
        let poster = app.a_poster().await;
        let other = app.beside(Positions::default());
        let change = async |path: String, change: Value| {
            app.nobody().get(&scan_path(&poster)).await;
            other.put(&path, change).await.ok();
            tokio::time::sleep(recent::FRESH).await;
            app.nobody().get(&scan_path(&poster)).await
        };
        let leads_to = |answer: Answer, start: &str| {
            let landing = answer.header("location").expect("a location").to_owned();
            assert!(landing.starts_with(start), "{landing}");
        };
        let path = |kind: &str, id: &Value| format!("/api/v1/{kind}/{}", id.as_str().expect("an id"));
        let (program, poster_path) = (path("programs", &poster["program_id"]), path("posters", &poster["id"]));
        let answer = change(program, json!({ "landing_url": "https://example.com/new" })).await;
        leads_to(answer, "https://example.com/new?impression_id=");
        let answer = change(poster_path.clone(), json!({ "landing_url": "https://example.com/own" })).await;
        leads_to(answer, "https://example.com/own?impression_id=");
        assert_eq!(change(poster_path, json!({ "status": "retired" })).await.status, 404);
        other.stop().await;
    }

    async fn a_code_may_be_typed_in_lower_case_and_in_groups(app: &TestApp) {
        let poster = app.a_poster().await;
        let code = poster["code"].as_str().expect("a code").to_lowercase();
        let typed = format!("/q/{}-{}", &code[..4], &code[4..]);
        assert_eq!(app.nobody().get(&typed).await.status, 302);
    }

    async fn a_code_that_leads_nowhere_is_a_page_for_a_person(app: &TestApp) {
        let poster = app.a_poster().await;
        let path = format!("/api/v1/posters/{}", poster["id"].as_str().expect("an id"));
        app.put(&path, json!({ "status": "retired" })).await.ok();
        let retired = scan_path(&poster);
        for path in [&*retired, "/q/XXXXXXXXXX", "/q", "/q/", "/q/x", "/q/a/b", "/q/%00", "/q/..%2F..%2Fetc", "/q/%F0%9F%92%A9"] {
            for method in [Method::GET, Method::HEAD] {
                let answer = app.nobody().send(method, path, &[], None::<String>).await;
                assert_eq!(answer.status, 404, "{path}");
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
                assert!(answer.bytes.is_empty() || answer.text().contains("no longer active"), "{path}");
            }
        }
        assert!(app.all("impressions").await.is_empty(), "nothing was recorded");
    }

    async fn nothing_in_the_request_decides_where_a_phone_goes(app: &TestApp) {
        let poster = app.a_poster().await;
        let path = format!("{}?target=https://evil.example&landing_url=//evil.example", scan_path(&poster));
        let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example")];
        let answer = app.nobody().send(Method::GET, &path, &headers, None::<String>).await;
        let location = answer.header("location").expect("a location");
        assert!(location.starts_with("https://example.com/join?utm_source=poster&impression_id=imp_"), "{location}");
        assert!(!location.contains("evil"));
    }

    async fn a_strange_user_agent_is_kept_without_harm(app: &TestApp) {
        let poster = app.a_poster().await;
        let long = "x".repeat(5000);
        for agent in ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u{e9}\u{e9}", &long] {
            let headers = [("user-agent", agent), ("referer", "not a url")];
            let answer = app.nobody().send(Method::GET, &scan_path(&poster), &headers, None::<String>).await;
            assert_eq!(answer.status, 302, "{agent}");
        }
        let scans = app.all("impressions").await;
        assert_eq!(scans[0]["user_agent"], "<script>alert(1)</script>");
        assert_eq!(scans[3]["user_agent"].as_str().map(str::len), Some(2000));
    }
}

#[actix_web::test]
async fn forwarded_addresses_are_believed_only_from_configured_proxies() {
    let headers = [("x-forwarded-for", "198.51.100.7")];
    for (database, proxies, seen) in [
        (Database::sqlite(), "", "127.0.0.1"),
        (Database::sqlite(), "127.0.0.0/8", "198.51.100.7"),
        (Database::postgres(), "127.0.0.0/8", "198.51.100.7"),
        (Database::sqlite(), "10.0.0.1", "127.0.0.1"),
    ] {
        let settings = [("HANDBILL_TRUSTED_PROXIES", proxies)];
        let app = TestApp::start_with(database, &settings).await;
        let poster = app.a_poster().await;
        app.nobody()
            .send(Method::GET, &scan_path(&poster), &headers, None::<String>)
            .await;
        assert_eq!(
            app.all("impressions").await[0]["ip_address"],
            seen,
            "{proxies}"
        );
        app.stop().await;
    }
}

#[actix_web::test]
async fn what_is_personal_about_a_scan_can_be_left_out() {
    for (database, address, agent, kept_address, kept_agent) in [
        (
            Database::sqlite(),
            "truncated",
            "full",
            json!("127.0.0.0"),
            json!(PHONE),
        ),
        (Database::postgres(), "off", "off", json!(null), json!(null)),
    ] {
        let settings = [
            ("HANDBILL_SCAN_ADDRESS", address),
            ("HANDBILL_SCAN_USER_AGENT", agent),
        ];
        let app = TestApp::start_with(database, &settings).await;
        let poster = app.a_poster().await;
        app.nobody()
            .send(
                Method::GET,
                &scan_path(&poster),
                &[("user-agent", PHONE)],
                None::<String>,
            )
            .await;
        let scan = app.all("impressions").await.remove(0);
        assert_eq!(
            (&scan["ip_address"], &scan["user_agent"]),
            (&kept_address, &kept_agent)
        );
        assert_eq!(scan["metadata"]["device_type"], "mobile");
        app.stop().await;
    }
}

/// Every change says so in one row; nobody holds on to it for longer than a commit takes.
#[actix_web::test]
async fn who_changes_a_poster_waits_for_nobody_who_changes_another() {
    let app = TestApp::start(Database::postgres()).await;
    let student = app.a_student_of(&app.a_program().await).await;
    let (one, two) = (
        app.a_poster_of(&student).await,
        app.a_poster_of(&student).await,
    );
    let change = |poster: &Value| {
        let mut conn = DbConnection::open(&app.database.url).expect("the database");
        let id = poster["id"].as_str().expect("an id");
        let begin = "SET lock_timeout = '1s'; BEGIN";
        let update = format!("UPDATE posters SET location = 'Gym' WHERE id = '{id}'");
        conn.batch_execute(&format!("{begin}; {update}"))
            .expect("a change");
        conn
    };
    for mut changing in [change(&one), change(&two)] {
        changing.batch_execute("COMMIT").expect("a commit");
    }
    for poster in app.all("posters").await {
        assert_eq!(poster["location"], "Gym");
    }
    app.stop().await;
}
