//! `cargo bench --bench parts`: the small parts by themselves, with criterion. What is not public in the library is
//! measured by the load, not here. The table goes into `docs/benchmarks.md` unless only some parts were asked for.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on says so by panicking"
)]

mod money;
#[allow(dead_code, reason = "every bench needs its part")]
#[path = "../growth/seed.rs"]
mod seed;
#[allow(dead_code, reason = "every bench needs its part")]
#[path = "../support/mod.rs"]
mod support;
mod table;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use criterion::Criterion;
use futures_util::future::join_all;
use handbill::accounts::open;
use handbill::api_keys::model::Secret;
use handbill::clock::Clock;
use handbill::db::page::{Order, Page};
use handbill::db::{Db, DbConnection};
use handbill::http::metrics::Metrics;
use handbill::ids::{AccountId, Id, ProgramId, ReferralId, Wanted};
use handbill::parse::Parse;
use handbill::referrals::model::{Referral, ReferralFilter};
use handbill::referrals::queries;
use handbill::referrals::routes::ReferralList;
use handbill::referrals::view::ReferralView;
use handbill::text::Name;
use support::stage::Stage;

fn main() {
    let mut criterion = Criterion::default()
        .output_directory(&table::folder())
        .configure_from_args();
    let folder = tempfile::tempdir().expect("a folder");
    values(&mut criterion);
    metrics(&mut criterion);
    let mut referrals = Vec::new();
    for (rows, said) in [(10_000, "10,000"), (1_000_000, "1,000,000")] {
        let file = folder.path().join(format!("{rows}.db"));
        let database = format!("sqlite://{}", file.display());
        referrals = list(&mut criterion, &database, rows, said);
    }
    json(&mut criterion, referrals);
    let database = format!("sqlite://{}", folder.path().join("writer.db").display());
    writer(&mut criterion, &database);
    let database = format!("sqlite://{}", folder.path().join("money.db").display());
    money::money(&mut criterion, &database);
    criterion.final_summary();
    table::write();
}

fn values(criterion: &mut Criterion) {
    let now = Clock::System.now();
    criterion.bench_function("make an id", |bencher| {
        bencher.iter(|| ReferralId::new(black_box(now)));
    });
    let secret = Secret::random();
    criterion.bench_function("hash an API key", |bencher| {
        bencher.iter(|| black_box(&secret).hash());
    });
}

/// What counting costs each request: alone, and with the other worker counting the same route all the time.
fn metrics(criterion: &mut Criterion) {
    let metrics = Metrics::default();
    let count = |metrics: &Metrics| {
        let (route, took) = (Some("/q/{code}"), Duration::from_micros(300));
        metrics.count(&Method::GET, black_box(route), StatusCode::FOUND, took);
    };
    criterion.bench_function("count a request for the metrics", |bencher| {
        bencher.iter(|| count(&metrics));
    });
    let stop = Arc::new(AtomicBool::new(false));
    let (other, stopped) = (metrics.clone(), Arc::clone(&stop));
    let neighbour = thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            count(&other);
        }
    });
    criterion.bench_function("count a request while another thread does", |bencher| {
        bencher.iter(|| count(&metrics));
    });
    stop.store(true, Ordering::Relaxed);
    neighbour.join().expect("the other thread");
}

/// The first page of 50, out of SQLite.
fn list(criterion: &mut Criterion, database: &str, rows: u64, said: &str) -> Vec<Referral> {
    let mut stage = Stage::set(database);
    stage.stop();
    let sizes = seed::Sizes {
        impressions: rows,
        referrals: rows,
    };
    seed::seed(&stage, sizes);
    let account = stage.account;
    let filter = ReferralFilter {
        program_id: Some(Wanted(ProgramId::from_outside(&stage.program))),
        ambassador_id: None,
        status: None,
    };
    let page = Page {
        limit: 50,
        offset: 0,
        order: Order::Asc,
        after: None,
        before: None,
    };
    let mut conn = DbConnection::open(database).expect("the database");
    let mut load = || queries::list(&mut conn, &account, &filter, &page).expect("a page");
    criterion.bench_function(
        &format!("load a page of 50 of {said} referrals"),
        |bencher| {
            bencher.iter(&mut load);
        },
    );
    load()
}

fn json(criterion: &mut Criterion, referrals: Vec<Referral>) {
    let mut views: Vec<_> = referrals.into_iter().map(ReferralView::from).collect();
    // Queries load one row more than the page has, to know whether there is another.
    views.truncate(50);
    criterion.bench_function("write a referral as JSON", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&views[0])));
    });
    let page = ReferralList {
        referrals: views,
        limit: 50,
        offset: 0,
        has_more: true,
    };
    criterion.bench_function("write a page of 50 as JSON", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&page)));
    });
}

/// The way through the writer's thread to the disk and back, with a small row: alone, and 64 that come at once.
fn writer(criterion: &mut Criterion, database: &str) {
    handbill::db::migrations::run(database).expect("migrations");
    let db = Db::open(database, 2, Clock::System).expect("the database");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut number = 0_u64;
    for (at_once, said) in [(1, "a write alone"), (64, "64 writes at once")] {
        criterion.bench_function(said, |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    let writes: Vec<_> = (0..at_once)
                        .map(|_| {
                            number += 1;
                            write(&db, number)
                        })
                        .collect();
                    let begun = Instant::now();
                    runtime.block_on(join_all(writes));
                    spent += begun.elapsed();
                }
                spent
            });
        });
    }
}

/// An account, because it is the smallest row.
async fn write(db: &Db, number: u64) {
    let name = Name::parse(&number.to_string()).expect("a name");
    db.write(move |conn, now| open::open(conn, AccountId::random(), &name, now))
        .await
        .expect("a write");
}
