//! What the worker does by itself, without being called by a test.

use std::time::{Duration, Instant};

use handbill::events::queries::accounts_to_number;
use handbill::ids::AccountId;
use handbill::impressions::file::file;
use handbill::impressions::filed_queries::filed_up_to;
use handbill::worker;

use crate::support::{TestApp, on_both};

/// Whether all scans up to this one are filed and all events numbered.
async fn is_done(app: &TestApp, account: &AccountId, scan: &str) -> bool {
    let account = *account;
    let look = app.app.db.read(move |conn| {
        let is_numbered = accounts_to_number(conn)?.is_empty();
        Ok((filed_up_to(conn, &account)?, is_numbered))
    });
    let (filed, is_numbered) = look.await.expect("an answer");
    is_numbered && filed.is_some_and(|filed| filed.as_str() >= scan)
}

on_both! {
    async fn scans_get_filed_and_events_numbered_though_nobody_asks(app: &TestApp) {
        let scan = app.a_scan().await;
        app.a_referral_from(&scan).await;
        let scan = scan["id"].as_str().expect("an id");
        let accounts = app.app.db.read(|conn| Ok(handbill::accounts::queries::list(conn)?));
        let account = accounts.await.expect("accounts").remove(0).id;
        assert!(!is_done(app, &account, scan).await);
        let worker = actix_web::rt::spawn(worker::run(app.app.clone()));
        let began = Instant::now();
        while !is_done(app, &account, scan).await {
            assert!(began.elapsed() < Duration::from_secs(30), "the worker does not come to it");
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        worker.abort();
    }

    async fn scans_are_filed_some_at_a_time_and_every_list_has_them_all(app: &TestApp) {
        let poster = app.a_poster().await;
        let mut scans = Vec::new();
        for _ in 0..5 {
            scans.push(app.a_scan_of(&poster).await);
        }
        let account = app.app.db.read(|conn| Ok(handbill::accounts::queries::list(conn)?)).await.expect("accounts").remove(0).id;
        let list = format!("/api/v1/impressions?posterId={}", poster["id"].as_str().expect("an id"));
        for (last, found) in [(1, true), (3, true), (4, true), (4, false)] {
            let some = app.app.db.write(move |conn, _| file(conn, &account, None, 2)).await;
            assert_eq!(some.expect("filed"), found);
            let up_to = app.app.db.read(move |conn| Ok(filed_up_to(conn, &account)?)).await.expect("an answer");
            assert_eq!(up_to.expect("some").as_str(), scans[last]["id"]);
            let listed = app.get(&list).await.ok();
            assert_eq!(listed["impressions"].as_array().expect("scans").len(), 5);
        }
    }

    async fn filing_stops_when_its_time_is_over_and_goes_on_the_next_time(app: &TestApp) {
        app.a_scan().await;
        assert!(!worker::file_scans(&app.app, false, Duration::ZERO).await.expect("some"), "there may be more");
        assert!(worker::file_scans(&app.app, false, Duration::ZERO).await.expect("none"), "there was no more");
    }

    async fn nothing_is_filed_while_scans_go_to_the_journal(app: &TestApp) {
        app.a_scan().await;
        app.app.journal.use_it(true);
        assert!(!worker::file_scans(&app.app, false, Duration::MAX).await.expect("no more"), "it stops after some");
        app.a_scan().await;
        assert!(!worker::file_scans(&app.app, true, Duration::MAX).await.expect("no more"), "and in a crowd too");
        app.app.journal.use_it(false);
        app.a_scan().await;
        assert!(worker::file_scans(&app.app, false, Duration::MAX).await.expect("filed"));
    }
}
