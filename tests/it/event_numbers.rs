//! Events that nobody asked for have no numbers yet on PostgreSQL (and on SQLite, if they were copied from there); they get
//! them some at a time.

use diesel::connection::SimpleConnection;
use handbill::events::number::{number_all, number_some};
use handbill::events::queries::has_unnumbered;
use serde_json::json;

use crate::support::on_both;

on_both! {
    // Where there is no endpoint and nobody reads, events wait for their numbers; there may be a great many of them.
    async fn many_events_that_nobody_asked_for_get_their_numbers_some_at_a_time(app: &TestApp) {
        let scan = app.a_scan().await;
        let referral = app.a_referral_from(&scan).await;
        let account = app.app.db.read(|conn| Ok(handbill::accounts::queries::list(conn)?)).await.expect("accounts").remove(0).id;
        let mut conn = app.database.connect();
        let copies = "INSERT INTO events (account_id, id, sequence, kind, object_id, data, previous_status, created_at) \
            SELECT account_id, substr(id, 1, length(id) - 6) || substr(CAST(1000000 + n AS TEXT), 2), NULL, kind, object_id, data, previous_status, created_at \
            FROM events, (WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 12000) SELECT n FROM numbers) AS numbers \
            WHERE kind = 'referral.created'";
        conn.batch_execute(copies).expect("many events");
        let some = account;
        let more = app.app.db.write(move |conn, _| number_some(conn, &some)).await.expect("numbers");
        assert!(more, "not all of them at once");
        // The worker rests in between.
        let mut turns = 1;
        while !number_all(&app.app).await.expect("numbers") {
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
