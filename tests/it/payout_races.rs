//! Many collections, refunds and settlements at the same moment.

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::payouts::{a_paying_program, a_referral_in, buy, collect, earn, refund, settle};
use crate::support::on_both;

on_both! {
    async fn sixty_four_collections_at_once_pay_once(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        for _ in 0..25 {
            let referral = a_referral_in(app, &program).await;
            earn(app, &referral, 550, "USD").await;
        }
        let with_key = |key: String| json!({ "program_id": program["id"], "idempotency_key": key });
        let posts = (0..64).map(|n| app.post("/api/v1/payouts:collect", with_key(format!("key {n}"))));
        let sum: i64 = join_all(posts).await.iter().filter_map(|answer| answer.ok()["totals"][0]["amount"].as_i64()).sum();
        assert_eq!(sum, 25 * 550);
        let payouts = app.all("payouts").await;
        assert_eq!(payouts.len(), 25);
        for payout in &payouts {
            settle(app, payout, "failed").await;
        }
        let posts = (0..64).map(|_| app.post("/api/v1/payouts:collect", with_key("one key".to_owned())));
        let answers = join_all(posts).await;
        let first = answers[0].ok();
        assert_eq!(first["totals"], json!([{ "currency": "USD", "payouts": 25, "amount": 25 * 550 }]));
        assert!(answers.iter().all(|answer| answer.ok() == first), "all are told of the same run");
        assert_eq!(answers.iter().filter(|answer| !answer.is_replay()).count(), 1);
        assert_eq!(app.all("payouts").await.len(), 50);
        let other = a_paying_program(app, json!({})).await;
        let reused = json!({ "program_id": other["id"], "idempotency_key": "one key" });
        let refused = app.post("/api/v1/payouts:collect", reused).await.refused_with(409);
        assert_eq!(refused["code"], "idempotency_key_reused");
    }

    async fn refunds_collections_and_settlements_at_once_leave_sound_books(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let mut referrals = Vec::new();
        for n in 0..4 {
            let referral = a_referral_in(app, &program).await;
            for order in 0..6 {
                buy(app, &referral, &format!("order {n} {order}"), 1000).await;
            }
            referrals.push(referral);
        }
        for round in 0..3 {
            let refunds = (0..4).flat_map(|n| [2 * round, 2 * round + 1].map(|order| format!("order {n} {order}")));
            let refunds = join_all(refunds.map(async |order| refund(app, &order).await));
            let buy_more = join_all(referrals.iter().enumerate().map(async |(n, referral)| {
                buy(app, referral, &format!("more {n} {round}"), 500).await;
            }));
            let collections = join_all((0..8).map(async |n| {
                let collected = collect(app, &program).await;
                let outcome = ["paid", "failed", "cancelled"][(n + round) % 3];
                for payout in collected["payouts"].as_array().expect("payouts") {
                    settle(app, payout, outcome).await;
                }
            }));
            join(join(refunds, buy_more), collections).await;
        }
        // Every order was refunded but the three of 500: what is paid, and what is owed, must come to 150 each.
        for payout in collect(app, &program).await["payouts"].as_array().expect("payouts") {
            settle(app, payout, "paid").await;
        }
        let balances = balances(app);
        assert_eq!(balances.len(), 4);
        for (pending, available, in_payout, paid, owed_back) in balances {
            assert_eq!((pending, available, in_payout), (0, 0, 0));
            assert_eq!(paid - owed_back, 150);
        }
    }
}

/// Every ambassador's accounts, as they are stored.
fn balances(app: &crate::support::TestApp) -> Vec<(i64, i64, i64, i64, i64)> {
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        pending: i64,
        #[diesel(sql_type = BigInt)]
        available: i64,
        #[diesel(sql_type = BigInt)]
        in_payout: i64,
        #[diesel(sql_type = BigInt)]
        paid: i64,
        #[diesel(sql_type = BigInt)]
        owed_back: i64,
    }
    let rows: Vec<Row> = diesel::sql_query("SELECT * FROM balances")
        .load(&mut app.database.connect())
        .expect("balances");
    rows.into_iter()
        .map(|row| {
            (
                row.pending,
                row.available,
                row.in_payout,
                row.paid,
                row.owed_back,
            )
        })
        .collect()
}
