//! Many endpoints at once, some of which misbehave: the others do not notice.

use std::time::{Duration, Instant};

use actix_web::rt::task::JoinHandle;
use handbill::clock::Clock;
use handbill::clock::Timestamp;
use handbill::events::emit::emit;
use handbill::events::model::{Event, EventKind};
use handbill::ids::{AccountId, EventId};
use handbill::webhooks::dispatch;
use serde_json::json;
use tokio::time::{interval, sleep};

use crate::support::crowd::{Arrival, Crowd};
use crate::support::{Database, TestApp, WEBHOOKS_TO_THIS_MACHINE, number};

/// How many events happen together, and how often.
const TOGETHER: usize = 5;
const EVERY: Duration = Duration::from_millis(100);

async fn start(database: Database) -> (TestApp, JoinHandle<()>) {
    let app = TestApp::start_at(database, &WEBHOOKS_TO_THIS_MACHINE, Clock::System).await;
    let never = std::future::pending();
    let work = dispatch::run(app.app.clone(), never, Duration::ZERO);
    (app, actix_web::rt::spawn(work))
}

async fn an_endpoint(app: &TestApp, url: &str) {
    let made = app.post("/api/v1/webhook-endpoints", json!({ "url": url }));
    made.await.ok();
}

/// The ids of the account's first `count` events, and when each was committed.
async fn happen(app: &TestApp, count: usize) -> Vec<Arrival> {
    let accounts = app
        .app
        .db
        .read(|conn| Ok(handbill::accounts::queries::list(conn)?));
    let account = accounts.await.expect("accounts").remove(0).id;
    let mut happened = Vec::new();
    let mut pace = interval(EVERY);
    while happened.len() < count {
        pace.tick().await;
        let at = some_events(app, account).await;
        let now = Instant::now();
        let first = i64::try_from(happened.len()).expect("a number") + 1;
        let ids = (first..)
            .take(TOGETHER)
            .map(|number| EventId::numbered(at, number));
        happened.extend(ids.map(|id| (id.as_str().to_owned(), now)));
    }
    happened
}

async fn some_events(app: &TestApp, account: AccountId) -> Timestamp {
    let work = move |conn: &mut _, now| {
        let view = json!({ "id": "ref_1", "first_name": "John", "last_name": "Doe" });
        let event = |_| Event::new(&account, EventKind::ReferralCreated, "ref_1", &view, now);
        let events: Vec<Event> = (0..TOGETHER).map(event).collect::<Result<_, _>>()?;
        emit(conn, events)?;
        Ok(now)
    };
    app.app.db.write(work).await.expect("a write")
}

fn ids(arrivals: &[Arrival]) -> Vec<&str> {
    arrivals.iter().map(|(id, _)| id.as_str()).collect()
}

/// Waits until so many events have come to each of these.
async fn until_there(crowd: &Crowd, paths: &[String], events: usize) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while paths.iter().any(|path| crowd.count(path) < events) {
        assert!(
            Instant::now() < deadline,
            "what happened has not come everywhere"
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// `WEBHOOK_EVENTS=1000` makes it longer.
#[actix_web::test]
async fn endpoints_that_are_dead_or_slow_or_talk_too_much_delay_none_of_the_others() {
    for database in [Database::sqlite(), Database::postgres()] {
        let (app, running) = start(database).await;
        let crowd = Crowd::start();
        let odd = ["/hanging", "/slow", "/huge", "/elsewhere"].map(str::to_owned);
        let well: Vec<String> = (0..46).map(|n| format!("/well/{n}")).collect();
        for path in odd.iter().chain(&well) {
            an_endpoint(&app, &crowd.url(path)).await;
        }
        let happened = happen(&app, number("WEBHOOK_EVENTS", 200)).await;
        until_there(&crowd, &well, happened.len()).await;
        let mut delays = Vec::new();
        for path in &well {
            let arrived = crowd.arrived(path);
            assert_eq!(ids(&arrived), ids(&happened), "{path}: all, once, in order");
            let pairs = arrived.iter().zip(&happened);
            delays.extend(pairs.map(|((_, came), (_, was))| came.saturating_duration_since(*was)));
        }
        delays.sort();
        let median = delays[delays.len() / 2];
        // An attempt at one that hangs takes fifteen seconds.
        assert!(median < Duration::from_secs(5), "{median:?}");
        for path in &odd {
            let arrived = crowd.arrived(path);
            let mut seen = ids(&arrived);
            seen.dedup();
            assert!(!seen.is_empty(), "{path}");
            assert_eq!(
                seen,
                ids(&happened)[..seen.len()],
                "{path}: in order, from the first"
            );
        }
        assert_eq!(crowd.count("/well/elsewhere"), 0, "nobody was followed");
        running.abort();
        app.stop().await;
    }
}

/// More than have a turn at the same time. When all are found dead, they do not even take turns.
#[actix_web::test]
async fn ninety_nine_dead_endpoints_do_not_delay_the_one_that_is_well() {
    for database in [Database::sqlite(), Database::postgres()] {
        let (app, running) = start(database).await;
        let crowd = Crowd::start();
        for n in 0..99 {
            an_endpoint(&app, &crowd.url(&format!("/hanging/{n}"))).await;
        }
        an_endpoint(&app, &crowd.url("/well")).await;
        let happened = happen(&app, 20).await;
        let well = ["/well".to_owned()];
        until_there(&crowd, &well, happened.len()).await;
        let worst = crowd.arrived("/well")[0]
            .1
            .saturating_duration_since(happened[0].1);
        assert!(worst < Duration::from_secs(8), "{worst:?}");
        running.abort();
        app.stop().await;
    }
}
