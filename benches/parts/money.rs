//! Money: a purchase with its commission, and a collection over a hundred thousand earnings. On SQLite, through the
//! writer, to the disk.

use std::time::Instant;

use criterion::Criterion;
use handbill::clock::{Clock, Timestamp};
use handbill::conversions::model::{Buyer, ConversionKind, NewConversion};
use handbill::conversions::record::record;
use handbill::db::{Db, DbConnection};
use handbill::error::Error;
use handbill::idempotency::Recorded;
use handbill::ids::{AccountId, ApiKeyId, Id, PayoutId, ProgramId, ReferralId};
use handbill::metadata::Metadata;
use handbill::money::{Cents, Currency};
use handbill::parse::Parse;
use handbill::payouts::collect;
use handbill::payouts::model::{CollectionStatus, NewCollection, PayoutChanges, PayoutStatus};
use handbill::payouts::settle::settle;
use serde_json::json;

use crate::support::stage::Stage;
use crate::table;

/// How many earnings are collected, of how many ambassadors.
const EARNINGS: usize = 100_000;
const AMBASSADORS: usize = 1_000;
/// How many purchases are recorded in one transaction.
const TOGETHER: usize = 64;

#[derive(Clone)]
struct Shop {
    account: AccountId,
    key: ApiKeyId,
    program: ProgramId,
    referrals: Vec<ReferralId>,
}

pub(crate) fn money(criterion: &mut Criterion, database: &str) {
    let shop = open(database);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let db = Db::open(database, 2, Clock::System).expect("the database");
    let mut orders = 0;
    let mut some = |count: usize| {
        let (shop, from) = (shop.clone(), orders);
        orders += count;
        let work = move |conn: &mut DbConnection, now: Timestamp| {
            for order in from..from + count {
                buy(conn, &shop, order, now)?;
            }
            Ok(())
        };
        runtime.block_on(db.write(work)).expect("purchases");
    };
    criterion.bench_function("64 purchases and their commissions", |bencher| {
        bencher.iter(|| some(TOGETHER));
    });
    for _ in 0..EARNINGS / 1_000 {
        some(1_000);
    }
    let few = Criterion::default().output_directory(&table::folder());
    few.sample_size(10).configure_from_args().bench_function(
        "collect 100,000 earnings of 1,000 ambassadors",
        |bencher| {
            bencher.iter_custom(|times| {
                let mut spent = std::time::Duration::ZERO;
                for _ in 0..times {
                    let begun = Instant::now();
                    runtime.block_on(run(&db, &shop)).expect("a collection");
                    spent += begun.elapsed();
                    runtime
                        .block_on(take_back(&db, &shop))
                        .expect("failed payouts");
                }
                spent
            });
        },
    );
}

/// A program that holds nothing back, and a thousand ambassadors with a signup each.
fn open(database: &str) -> Shop {
    let mut stage = Stage::set(database);
    let terms = json!({
        "name": "bench", "landing_url": "https://example.com/", "commission_rate": 10, "available_when": "hold_days",
        "hold_days": 0,
    });
    let program = stage.make("programs", &[terms]).remove(0).id();
    let person = json!({
        "program_id": program, "first_name": "Carol", "last_name": "Example", "email": "carol@example.com",
    });
    let mut referrals = Vec::new();
    for student in stage.make("users", &vec![person; AMBASSADORS]) {
        let poster = stage
            .make("posters", &[json!({ "student_id": student.id() })])
            .remove(0)
            .id();
        let scan = stage
            .make("impressions", &[json!({ "poster_id": poster })])
            .remove(0)
            .id();
        let signup = json!({
            "impression_id": scan, "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
        });
        let made = stage.make("referrals", &[signup]).remove(0).id();
        referrals.push(ReferralId::from_outside(&made).expect("an id"));
    }
    stage.stop();
    Shop {
        account: stage.account,
        key: ApiKeyId::from_outside(&stage.word("SELECT id AS word FROM api_keys")).expect("an id"),
        program: ProgramId::from_outside(&program).expect("an id"),
        referrals,
    }
}

fn buy(conn: &mut DbConnection, shop: &Shop, order: usize, now: Timestamp) -> Result<(), Error> {
    let new = NewConversion {
        buyer: Buyer::Referral(shop.referrals[order % shop.referrals.len()].clone()),
        coupon_code: None,
        program_id: None,
        order_id: Parse::parse(&format!("order_{order}")).expect("an order"),
        kind: ConversionKind::Purchase,
        amount: Cents::try_from(5_500).expect("an amount"),
        currency: Some(Currency::usd()),
        occurred_at: None,
        metadata: Metadata::default(),
        retry: None,
        fingerprint: String::new(),
    };
    record(conn, &shop.account, &shop.key, &new, now).map(drop)
}

async fn run(db: &Db, shop: &Shop) -> Result<(), Error> {
    let (account, key) = (shop.account, shop.key.clone());
    let new = NewCollection {
        program_id: shop.program.clone(),
        retry: None,
    };
    let begun = db
        .write(move |conn, now| collect::begin(conn, &account, &new, now))
        .await?;
    let (Recorded::New(mut run) | Recorded::Replayed(mut run)) = begun;
    while run.status == CollectionStatus::Collecting {
        let (account, key, id) = (shop.account, key.clone(), run.id);
        run = db
            .write(move |conn, now| collect::go_on(conn, &account, &id, Some(&key), now))
            .await?;
    }
    Ok(())
}

/// Every payout that is on its way fails, so that there is as much to collect as before.
async fn take_back(db: &Db, shop: &Shop) -> Result<(), Error> {
    loop {
        let (account, key) = (shop.account, shop.key.clone());
        let filter = handbill::payouts::model::PayoutFilter {
            status: Some(PayoutStatus::Processing),
            ..Default::default()
        };
        let page = handbill::db::page::Page {
            limit: 49,
            offset: 0,
            order: handbill::db::page::Order::Asc,
            after: None,
            before: None,
        };
        let some = db
            .write(move |conn, now| {
                let some = handbill::payouts::queries::list(conn, &account, &filter, &page)?;
                let ids: Vec<PayoutId> = some.into_iter().map(|payout| payout.id).collect();
                for id in &ids {
                    let changes = PayoutChanges {
                        status: Some(PayoutStatus::Failed),
                        ..PayoutChanges::default()
                    };
                    settle(conn, &account, &key, id, &changes, now)?;
                }
                Ok(ids.len())
            })
            .await?;
        if some == 0 {
            return Ok(());
        }
    }
}
