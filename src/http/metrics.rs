//! `/metrics`: what this process has done and how it stands, in Prometheus' words. Counting costs a request two
//! atomic numbers and a short lock; everything else is looked up when somebody asks.
//!
//! Labels are the route's pattern, the method and the status, never anything that a caller chooses.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, HttpServer, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::db::load::Load;
use crate::error::Error;
use crate::http::operations::disk_free;

/// Seconds. The limits that matter to phones and dashboards lie between.
const BUCKETS: [f64; 13] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The routes, if they are on the bind of the API.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/metrics").route(web::get().to(show)));
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

/// What is counted as it happens. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    panics: Counter,
    /// Events that some endpoint has not got yet …
    events_behind: Gauge,
    /// … and how old the oldest of them is, in seconds.
    oldest_event: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Inner {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            panics: Counter::default(),
            events_behind: Gauge::default(),
            oldest_event: Gauge::default(),
        }))
    }
}

impl Metrics {
    /// Counts a request. `route` is a pattern of the route table; none: nothing lives there.
    pub fn count(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let method = known(method);
        let route = route.unwrap_or("none").to_owned();
        let of = Route { method, route };
        self.0
            .durations
            .get_or_create(&of)
            .observe(took.as_secs_f64());
        let answered = Answered {
            method,
            route: of.route,
            status: status.as_u16(),
        };
        self.0.requests.get_or_create(&answered).inc();
    }

    /// Notes how far webhooks are behind, as of now.
    pub fn note_backlog(&self, events: i64, oldest_seconds: i64) {
        self.0.events_behind.set(events);
        self.0.oldest_event.set(oldest_seconds);
    }

    /// Counts a handler that panicked.
    pub fn panicked(&self) {
        self.0.panics.inc();
    }
}

/// A caller may send any word as a method.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Serves nothing but the metrics on `listener`, until the process ends.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(app: App, listener: TcpListener) -> std::io::Result<Server> {
    let app = web::Data::new(app);
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(app.clone())
            .configure(configure)
    });
    let server = server.workers(1).disable_signals().shutdown_timeout(1);
    Ok(server.listen(listener)?.run())
}

async fn show(app: web::Data<App>) -> Result<HttpResponse, Error> {
    let mut text = String::new();
    encode(&mut text, &registry(&app)).map_err(Error::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}

/// Everything there is to tell, as of now.
fn registry(app: &App) -> Registry {
    let mut registry = Registry::with_prefix("handbill");
    let counts = &app.metrics.0;
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "What runs", version);
    registry.register(
        "http_requests",
        "Requests answered",
        counts.requests.clone(),
    );
    registry.register(
        "http_request_duration_seconds",
        "From the head of a request to the head of its answer",
        counts.durations.clone(),
    );
    registry.register("panics", "Handlers that panicked", counts.panics.clone());
    registry.register(
        "writer_group_size",
        "How many writes shared a commit of the writer's; each scan and each signup is one",
        app.db.group_sizes(),
    );
    registry.register(
        "webhook_events_behind",
        "Events that endpoints have not got yet, added up over the endpoints",
        counts.events_behind.clone(),
    );
    registry.register(
        "webhook_oldest_event_seconds",
        "How old the oldest of them is",
        counts.oldest_event.clone(),
    );
    let load = app.db.load();
    gauges(app, &load, &mut registry);
    counters(app, &load, &mut registry);
    registry
}

/// How it stands.
fn gauges(app: &App, load: &Load, registry: &mut Registry) {
    let mut gauge = |name: &str, help: &str, value: u64| {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        registry.register(name, help, ConstGauge::new(value));
    };
    let clients = &app.admission.connections;
    for (name, help, value) in [
        (
            "writer_queue",
            "Jobs that wait for the writer; all scans that wait are one, and so are all signups",
            load.queue,
        ),
        ("writer_queue_limit", "How many may wait", load.queue_limit),
        (
            "scans_waiting",
            "Scans that wait for the writer",
            app.scans.waiting() as u64,
        ),
        (
            "signups_waiting",
            "Signups that wait for the writer",
            app.signups.waiting() as u64,
        ),
        (
            "connections_in_use",
            "Connections that read or write now",
            load.in_use,
        ),
        (
            "connections_limit",
            "How many there may be",
            load.connections,
        ),
        (
            "connections_waiting",
            "Requests that wait for one",
            load.waiting,
        ),
        (
            "http_connections",
            "Open connections of clients",
            clients.open() as u64,
        ),
        (
            "http_connections_limit",
            "How many there may be",
            clients.most() as u64,
        ),
        (
            "journal_scans",
            "Scans that wait in the journal for the database",
            app.journal.waiting(),
        ),
        (
            "journal_in_use",
            "1 while the database takes no scans",
            u64::from(app.journal.is_in_use()),
        ),
        (
            "journal_broken",
            "1 if the journal could not be opened, or took no scan, when it was last needed",
            u64::from(app.journal.is_broken()),
        ),
    ] {
        gauge(name, help, value);
    }
    if let Some(free) = disk_free(app) {
        gauge(
            "disk_free_bytes",
            "Free where the database or the journal is",
            free,
        );
    }
}

/// What it has done.
fn counters(app: &App, load: &Load, registry: &mut Registry) {
    for (name, help, value) in [
        ("writer_commits", "Commits of the writer", load.commits),
        ("writer_jobs", "Jobs in those commits", load.jobs),
        (
            "scans",
            "Scans written by this process",
            app.scans.written(),
        ),
        (
            "signups",
            "Signups written by this process",
            app.signups.written(),
        ),
        (
            "answers_given_again",
            "Answers that were still right",
            app.answers.given(),
        ),
    ] {
        registry.register(name, help, ConstCounter::new(value));
    }
}
