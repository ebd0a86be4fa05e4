//! Many endpoints at once, some of which misbehave: the others do not notice.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use handbill::clock::Clock;
use handbill::events::emit::emit;
use handbill::events::model::{Event, EventKind};
use handbill::ids::AccountId;
use handbill::webhooks::dispatch;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::receiver::{Receiver, Reply};
use crate::support::{Database, TestApp};

const SETTINGS: [(&str, &str); 2] = [
    ("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on"),
    ("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8"),
];
/// How many events happen together, and how often.
const TOGETHER: usize = 5;
const EVERY: Duration = Duration::from_millis(100);

/// What came where, in order, and when.
type Arrived = Arc<Mutex<HashMap<String, Vec<(String, Instant)>>>>;

/// Receivers that share a port: `/well/…` takes everything, `/slow` needs a while, `/huge` says a lot, `/elsewhere` sends
/// away.
struct Crowd {
    base: String,
    arrived: Arrived,
    handle: actix_web::dev::ServerHandle,
}

impl Crowd {
    fn start() -> Self {
        let arrived = Arrived::default();
        let shared = arrived.clone();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .default_service(web::to(take))
        });
        let server = server.workers(1).disable_signals();
        let server = server.listen(listener).expect("a server").run();
        let handle = server.handle();
        std::thread::spawn(move || actix_web::rt::System::new().block_on(server));
        Self {
            base,
            arrived,
            handle,
        }
    }

    fn arrived(&self, path: &str) -> Vec<(String, Instant)> {
        let all = self.arrived.lock().expect("the list");
        all.get(path).cloned().unwrap_or_default()
    }
}

async fn take(request: HttpRequest, arrived: web::Data<Arrived>) -> HttpResponse {
    let id = request
        .headers()
        .get("webhook-id")
        .and_then(|id| id.to_str().ok())
        .expect("an id")
        .to_owned();
    let path = request.path().to_owned();
    {
        let mut all = arrived.lock().expect("the list");
        all.entry(path.clone())
            .or_default()
            .push((id, Instant::now()));
    }
    match &*path {
        "/slow" => sleep(Duration::from_millis(300)).await,
        "/huge" => return HttpResponse::Ok().body(vec![b'x'; 5_000_000]),
        "/elsewhere" => {
            let to = ("location", "/well/elsewhere");
            return HttpResponse::TemporaryRedirect().insert_header(to).finish();
        }
        _ => {}
    }
    HttpResponse::NoContent().finish()
}

/// The ids of `count` events, and when each was there.
async fn happen(app: &TestApp, account: &AccountId, count: usize) -> Vec<(String, Instant)> {
    let mut there = Vec::new();
    let mut pace = tokio::time::interval(EVERY);
    while there.len() < count {
        pace.tick().await;
        let account = account.clone();
        let ids = app.app.db.write(move |conn, now| {
            let view = json!({ "id": "ref_1", "first_name": "John", "last_name": "Doe" });
            let events: Result<Vec<Event>, _> = (0..TOGETHER)
                .map(|_| Event::new(&account, EventKind::ReferralCreated, "ref_1", &view, now))
                .collect();
            let events = events?;
            let ids: Vec<String> = events
                .iter()
                .map(|event| event.id.as_str().to_owned())
                .collect();
            emit(conn, events)?;
            Ok(ids)
        });
        let ids = ids.await.expect("a write");
        let now = Instant::now();
        there.extend(ids.into_iter().map(|id| (id, now)));
    }
    there
}

async fn endpoint(app: &TestApp, url: &str) -> Value {
    app.post("/api/v1/webhook-endpoints", json!({ "url": url }))
        .await
        .ok()
}

async fn the_others_do_not_notice(database: Database, events: usize) {
    let app = TestApp::start_at(database, &SETTINGS, Clock::System).await;
    let (crowd, dead) = (Crowd::start(), Receiver::start(|_, _| Reply::Hang));
    endpoint(&app, &dead.url).await;
    let mut account = None;
    for path in ["/slow", "/huge", "/elsewhere"] {
        endpoint(&app, &format!("{}{path}", crowd.base)).await;
    }
    let well: Vec<String> = (0..46).map(|n| format!("/well/{n}")).collect();
    for path in &well {
        endpoint(&app, &format!("{}{path}", crowd.base)).await;
    }
    let accounts = handbill::accounts::queries::list;
    for found in app
        .app
        .db
        .read(move |conn| Ok(accounts(conn)?))
        .await
        .expect("accounts")
    {
        account = Some(found.id);
    }
    let account = account.expect("an account");
    let running = actix_web::rt::spawn(dispatch::run(
        app.app.clone(),
        std::future::pending(),
        Duration::ZERO,
    ));
    let happened = happen(&app, &account, events).await;
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_done = || well.iter().all(|path| crowd.arrived(path).len() >= events);
    while !is_done() {
        assert!(
            Instant::now() < deadline,
            "what happened has not arrived everywhere"
        );
        sleep(Duration::from_millis(50)).await;
    }
    let ids: Vec<&String> = happened.iter().map(|(id, _)| id).collect();
    let mut delays = Vec::new();
    for path in &well {
        let arrived = crowd.arrived(path);
        assert!(
            arrived.iter().map(|(id, _)| id).eq(ids.iter().copied()),
            "{path}: all, once, in order"
        );
        let times = arrived.iter().zip(&happened);
        delays.extend(times.map(|((_, came), (_, was))| came.saturating_duration_since(*was)));
    }
    delays.sort();
    let (median, worst) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    let p99 = delays[delays.len() * 99 / 100];
    println!("{events} events: median {median:?}, 99 % {p99:?}, worst {worst:?}");
    assert!(median < Duration::from_secs(1), "{median:?}");
    for path in ["/slow", "/huge", "/elsewhere"] {
        let arrived = crowd.arrived(path);
        assert!(!arrived.is_empty(), "{path}");
        let mut seen: Vec<&String> = arrived.iter().map(|(id, _)| id).collect();
        seen.dedup();
        assert_eq!(seen, ids[..seen.len()], "{path}: in order, from the first");
    }
    assert_eq!(crowd.arrived("/well/elsewhere"), [], "nobody was followed");
    assert!(!dead.received().is_empty());
    running.abort();
    crowd.handle.stop(false).await;
    app.stop().await;
}

/// `WEBHOOK_EVENTS=1000` makes it longer.
#[expect(
    clippy::disallowed_methods,
    reason = "a setting of the test, not of the server"
)]
fn events() -> usize {
    let events = std::env::var("WEBHOOK_EVENTS").ok();
    events.map_or(200, |events| events.parse().expect("a number"))
}

#[actix_web::test]
async fn one_of_fifty_endpoints_that_is_dead_slow_or_verbose_delays_no_other() {
    for database in [Database::sqlite(), Database::postgres()] {
        the_others_do_not_notice(database, events()).await;
    }
}
