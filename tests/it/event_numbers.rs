//! Events that nobody asked for have no numbers yet on PostgreSQL (and on SQLite, if they were copied from there); they get
//! them some at a time.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use handbill::accounts;
use handbill::copies::export::export;
use handbill::copies::import::import;
use handbill::db::DbConnection;
use handbill::encryption::EncryptionKeys;
use handbill::events::number::{STRETCH, number_all, number_some};
use handbill::events::queries::{has_unnumbered, list_numbered};
use handbill::events::view::EventView;
use handbill::ids::EventId;
use handbill::parse::Parse;
use handbill::text::Name;
use serde_json::json;

use crate::support::database::Database;
use crate::support::{TestApp, on_both};

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
}

/// How many events have no number yet.
fn waiting(conn: &mut DbConnection) -> i64 {
    let count = "SELECT count(*) AS waiting FROM events WHERE sequence < 0";
    let found: Waiting = sql_query(count).get_result(conn).expect("a count");
    found.waiting
}

on_both! {
    // After a restore numbers are given again, and whoever knows one from before must not take the new event for it.
    async fn an_event_is_known_by_its_moment_and_its_number(app: &TestApp) {
        app.a_referral().await;
        let event = app.get("/api/v1/events").await.ok()["events"][0].clone();
        let path = |id: &str| format!("/api/v1/events/{id}");
        assert_eq!(app.get(&path(event["id"].as_str().expect("an id"))).await.ok(), event);
        let number = event["sequence"].as_i64().expect("a number");
        let other = EventId::numbered(app.app.clock.now().plus_seconds(1), number);
        app.get(&path(other.as_str())).await.refused(404, "Event not found");
        let feed = app.get(&format!("/api/v1/events?after={}", other.as_str())).await.refused_with(400);
        assert_eq!(feed["errors"][0]["code"], "unknown_id");
    }

    // Where there is no endpoint and nobody reads, events wait for their numbers; there may be a great many of them.
    async fn many_events_that_nobody_asked_for_get_their_numbers_some_at_a_time(app: &TestApp) {
        let scan = app.a_scan().await;
        let referral = app.a_referral_from(&scan).await;
        let account = app.app.db.read(|conn| Ok(handbill::accounts::queries::list(conn)?)).await.expect("accounts").remove(0).id;
        let mut conn = app.database.connect();
        let copies = "INSERT INTO events (account_id, sequence, kind, object_id, data, previous_status, created_at) \
            SELECT account_id, n - 20000, kind, object_id, data, previous_status, created_at \
            FROM events, (WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000) SELECT n FROM numbers) AS numbers \
            WHERE kind = 'referral.created'";
        conn.batch_execute(copies).expect("many events");
        for most in [3_u16, 500] {
            let before = waiting(&mut conn);
            let more = app.app.db.write(move |conn, _| number_some(conn, &account, most.into())).await.expect("numbers");
            assert!(more, "not all of them at once");
            assert_eq!(before - waiting(&mut conn), i64::from(most));
        }
        // The worker rests in between.
        let mut turns = 1;
        while !number_all(&app.app.db, STRETCH).await.expect("numbers") {
            turns += 1;
        }
        assert!(turns > 10, "{turns}: not all the others at once either");
        let rest = app.app.db.read(move |conn| Ok(has_unnumbered(conn, &account)?)).await.expect("an answer");
        assert!(!rest);

        let (mut after, mut seen) = (String::new(), 0);
        loop {
            let page = app.get(&format!("/api/v1/events?limit=1000{after}")).await.ok();
            let events = page["events"].as_array().expect("events");
            for event in events {
                seen += 1;
                assert_eq!(event["sequence"], seen);
            }
            let Some(last) = events.last() else { break };
            after = format!("&after={}", last["id"].as_str().expect("an id"));
        }
        assert!(seen > 12_000, "{seen}");
        // What comes next is next.
        app.put(&format!("/api/v1/referrals/{}", referral["id"].as_str().expect("an id")), json!({ "status": "verified" })).await.ok();
        let page = app.get(&format!("/api/v1/events?limit=1000{after}")).await.ok();
        assert_eq!(page["events"][0]["sequence"], seen + 1, "{page}");
    }
}

/// On PostgreSQL there may be some whose account is copied meanwhile. Where they come to nothing else waits in their places.
#[actix_web::test]
async fn events_that_waited_for_their_numbers_have_them_where_they_are_imported() {
    let source = TestApp::start(Database::postgres()).await;
    source.a_referral().await;
    let account = source.database.account_named("default");
    let mut conn = source.database.connect();
    let waits = |conn: &mut _| has_unnumbered(conn, &account).expect("an answer");
    assert!(waits(&mut conn), "nobody has read them");
    let row = accounts::queries::find_by_name_or_id(&mut conn, "default");
    let row = row.expect("accounts").expect("the account");
    let now = source.app.clock.now();
    let mut copy = Vec::new();
    export(&mut conn, &row, now, &mut copy).expect("an export");
    let told = source.get("/api/v1/events").await.ok()["events"].clone();
    for database in [Database::sqlite(), Database::postgres()] {
        let target = TestApp::start(database).await;
        let name = Name::parse("another").expect("a name");
        let (mut conn, keys) = (target.database.connect(), EncryptionKeys::default());
        import(&mut conn, &copy[..], Some(&name), &[], &keys, now).expect("an import");
        assert!(!waits(&mut conn));
        let arrived = list_numbered(&mut conn, &account, 0, 100).expect("events");
        let arrived: Vec<_> = arrived.into_iter().map(EventView::from).collect();
        assert_eq!(json!(arrived), told);
        target.stop().await;
    }
    source.stop().await;
}
