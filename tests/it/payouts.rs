//! `/api/v1/payouts`: what is due is paid once, and what became of it is booked.

use futures_util::future::{join, join_all};
use handbill::payday::pay_day;
use serde_json::{Value, json};

use crate::support::{Caller, on_both};

pub fn id(thing: &Value) -> String {
    thing["id"].as_str().expect("an id").to_owned()
}

/// A program of 10% whose earnings are available at once, with changes.
pub async fn a_paying_program(app: &Caller, changes: Value) -> Value {
    let mut body = json!({
        "name": "Campus launch", "landing_url": "https://example.com/join", "commission_rate": 10,
        "available_when": "hold_days", "hold_days": 0,
    });
    for (key, value) in changes.as_object().expect("an object") {
        body[key] = value.clone();
    }
    app.post("/api/v1/programs", body).await.ok()
}

/// A signup of a new ambassador's.
pub async fn a_referral_in(app: &Caller, program: &Value) -> Value {
    let student = app.a_student_of(program).await;
    let poster = app.a_poster_of(&student).await;
    let scan = app.a_scan_of(&poster).await;
    app.a_referral_from(&scan).await
}

pub async fn earn(app: &Caller, referral: &Value, amount: i64, currency: &str) -> Value {
    let body = json!({ "referral_id": referral["id"], "amount": amount, "currency": currency });
    app.post("/api/v1/earnings", body).await.ok()
}

async fn buy(app: &Caller, referral: &Value, order: &str, amount: i64) {
    let body = json!({ "referral_id": referral["id"], "order_id": order, "amount": amount });
    app.post("/api/v1/conversions", body).await.ok();
}

async fn refund(app: &Caller, order: &str) -> Value {
    let body = json!({ "order_id": order, "idempotency_key": format!("refund of {order}") });
    app.post("/api/v1/refunds", body).await.ok()
}

pub async fn collect(app: &Caller, program: &Value) -> Value {
    app.post(
        "/api/v1/payouts:collect",
        json!({ "program_id": program["id"] }),
    )
    .await
    .ok()
}

async fn dry_run(app: &Caller, program: &Value) -> Value {
    let body = json!({ "program_id": program["id"], "dry_run": true });
    app.post("/api/v1/payouts:collect", body).await.ok()
}

async fn settle(app: &Caller, payout: &Value, status: &str) -> Value {
    let path = format!("/api/v1/payouts/{}", id(payout));
    app.put(&path, json!({ "status": status })).await.ok()
}

async fn earning(app: &Caller, earning: &Value) -> Value {
    app.get(&format!("/api/v1/earnings/{}", id(earning)))
        .await
        .ok()
}

/// What was paid: to whom, in what, how much.
fn paid(collection: &Value) -> Vec<(String, String, i64)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let payouts = collection["payouts"].as_array().expect("payouts").iter();
    payouts
        .map(|payout| {
            let amount = payout["amount"].as_i64().expect("an amount");
            (
                text(&payout["student_id"]),
                text(&payout["currency"]),
                amount,
            )
        })
        .collect()
}

on_both! {
    async fn a_dry_run_says_what_the_collection_then_pays(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        for n in 1..=23 {
            let referral = a_referral_in(app, &program).await;
            earn(app, &referral, 100 * n, "USD").await;
            earn(app, &referral, 50, if n % 3 == 0 { "JPY" } else { "USD" }).await;
        }
        let foreseen = dry_run(app, &program).await;
        assert_eq!(foreseen["totals"], json!([
            { "currency": "JPY", "payouts": 7, "amount": 350 },
            { "currency": "USD", "payouts": 23, "amount": 28_400 },
        ]));
        for key in ["id", "status", "created_at"] {
            assert_eq!(foreseen[key], json!(null), "{key}");
        }
        assert_eq!(app.all("payouts").await, Vec::<Value>::new(), "nothing was written");
        assert_eq!(dry_run(app, &program).await, foreseen);
        let collected = collect(app, &program).await;
        assert_eq!(paid(&collected), paid(&foreseen));
        assert_eq!(collected["totals"], foreseen["totals"]);
        assert_eq!((&collected["status"], &collected["dry_run"]), (&json!("collected"), &json!(false)));
        let path = format!("/api/v1/payouts/collections/{}", id(&collected));
        assert_eq!(app.get(&path).await.ok(), collected);
        let again = collect(app, &program).await;
        assert_eq!((&again["totals"], &again["payouts"]), (&json!([]), &json!([])), "nothing is left");
        let listed = app.get(&format!("/api/v1/payouts/collections?program_id={}", id(&program))).await.ok();
        assert_eq!(listed["collections"], json!([
            {
                "id": collected["id"], "program_id": program["id"], "status": "collected",
                "totals": collected["totals"], "created_at": collected["created_at"],
            },
            {
                "id": again["id"], "program_id": program["id"], "status": "collected",
                "totals": [], "created_at": again["created_at"],
            },
        ]));
        let other = app.get("/api/v1/payouts/collections?programId=prog_unknown").await.ok();
        assert_eq!(other["collections"], json!([]));
        let of = format!("/api/v1/payouts?collection_id={}&limit=1000", id(&collected));
        assert_eq!(app.get(&of).await.ok()["payouts"].as_array().expect("payouts").len(), 30);
    }

    async fn a_payout_has_its_keys_and_its_earnings(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        let (one, two) = (earn(app, &referral, 550, "USD").await, earn(app, &referral, 50, "USD").await);
        let collected = collect(app, &program).await;
        let payout = app.all("payouts").await.remove(0);
        assert_eq!(payout, json!({
            "id": payout["id"], "collection_id": collected["id"], "program_id": program["id"],
            "student_id": referral["student_id"], "amount": 600, "currency": "USD", "status": "processing",
            "reference_id": null, "failure_reason": null, "created_at": "2024-03-01T09:00:00Z", "paid_at": null,
            "updated_at": "2024-03-01T09:00:00Z", "metadata": {},
        }));
        let path = format!("/api/v1/payouts/{}", id(&payout));
        assert_eq!(app.get(&path).await.ok(), payout);
        assert_eq!(app.get(&format!("{path}/earnings")).await.ok(), json!({ "earnings": [
            { "earning_id": one["id"], "amount": 550 }, { "earning_id": two["id"], "amount": 50 },
        ]}));
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        for (filter, found) in [
            (format!("program_id={}", text(&program["id"])), 1), (format!("programId={}", text(&program["id"])), 1),
            (format!("student_id={}", text(&referral["student_id"])), 1),
            (format!("studentId={}", text(&referral["student_id"])), 1),
            ("studentId=user_unknown".to_owned(), 0), ("collection_id=undefined".to_owned(), 0),
            ("status=processing".to_owned(), 1), ("status=paid".to_owned(), 0),
        ] {
            let page = app.get(&format!("/api/v1/payouts?{filter}")).await.ok();
            assert_eq!(page["payouts"].as_array().expect("payouts").len(), found, "{filter}");
        }
        app.get("/api/v1/payouts?status=x").await
            .refused(400, "status must be one of processing, paid, failed, cancelled");
    }

    async fn less_than_the_minimum_waits(app: &TestApp) {
        let program = a_paying_program(app, json!({ "minimum_payout": 1000 })).await;
        let (poor, rich) = (a_referral_in(app, &program).await, a_referral_in(app, &program).await);
        earn(app, &poor, 999, "USD").await;
        earn(app, &rich, 1000, "USD").await;
        // The minimum is an amount of the program's currency, and says nothing about another one.
        earn(app, &poor, 1, "EUR").await;
        let one = collect(app, &program).await;
        assert_eq!(one["totals"], json!([
            { "currency": "EUR", "payouts": 1, "amount": 1 }, { "currency": "USD", "payouts": 1, "amount": 1000 },
        ]));
        earn(app, &poor, 1, "USD").await;
        assert_eq!(collect(app, &program).await["totals"], json!([{ "currency": "USD", "payouts": 1, "amount": 1000 }]));
    }

    async fn more_than_an_amount_can_be_goes_into_several_payouts(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        let most = 99_999_999_999_i64;
        earn(app, &referral, 7, "EUR").await;
        for amount in [most, most, 5] {
            earn(app, &referral, amount, "USD").await;
        }
        let foreseen = dry_run(app, &program).await;
        let collected = collect(app, &program).await;
        assert_eq!(collected["totals"], json!([
            { "currency": "EUR", "payouts": 1, "amount": 7 },
            { "currency": "USD", "payouts": 3, "amount": 2 * most + 5 },
        ]));
        assert_eq!(paid(&collected), paid(&foreseen));
    }

    async fn what_arrived_is_paid_and_what_did_not_is_paid_next(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let mut earnings = Vec::new();
        for _ in 0..3 {
            let referral = a_referral_in(app, &program).await;
            earnings.push(earn(app, &referral, 550, "USD").await);
        }
        let payouts = collect(app, &program).await["payouts"].as_array().expect("payouts").clone();
        for one in &earnings {
            assert_eq!(earning(app, one).await["status"], "processing");
        }
        app.wait(60);
        let path = format!("/api/v1/payouts/{}", id(&payouts[0]));
        let changes = json!({ "status": "paid", "reference_id": "transfer 7", "metadata": { "bank": "x" }, "note": "by hand" });
        let arrived = app.put(&path, changes).await.ok();
        assert_eq!((&arrived["status"], &arrived["paid_at"]), (&json!("paid"), &json!("2024-03-01T09:01:00Z")));
        assert_eq!((&arrived["reference_id"], &arrived["metadata"]), (&json!("transfer 7"), &json!({ "bank": "x" })));
        let one = earning(app, &earnings[0]).await;
        assert_eq!((&one["status"], &one["reference_id"]), (&json!("paid"), &json!("transfer 7")));
        app.wait(60);
        for same in [json!({}), json!({ "status": "paid" }), arrived.clone()] {
            assert_eq!(app.put(&path, same).await.ok(), arrived, "nothing changes");
        }
        app.put(&path, json!({ "status": "failed" })).await
            .refused(409, "The payout is paid and cannot become failed; it cannot change any more");
        let failed = format!("/api/v1/payouts/{}", id(&payouts[1]));
        let failure = app.put(&failed, json!({ "status": "failed", "failure_reason": "no such account" })).await.ok();
        assert_eq!(failure["failure_reason"], "no such account");
        settle(app, &payouts[2], "cancelled").await;
        for one in &earnings[1..] {
            assert_eq!(earning(app, one).await["status"], "failed");
        }
        app.put(&failed, json!({ "status": "paid" })).await.refused_with(409);
        let history = app.get(&format!("{path}/history")).await.ok();
        assert_eq!(history, json!({ "history": [{
            "from": "processing", "to": "paid", "at": "2024-03-01T09:01:00Z", "by": history["history"][0]["by"],
            "note": "by hand",
        }]}));
        let next = collect(app, &program).await;
        assert_eq!(next["totals"], json!([{ "currency": "USD", "payouts": 2, "amount": 1100 }]));
        for payout in next["payouts"].as_array().expect("payouts") {
            settle(app, payout, "paid").await;
        }
        for one in &earnings {
            assert_eq!(earning(app, one).await["status"], "paid");
        }
        assert_eq!(collect(app, &program).await["payouts"], json!([]));
    }

    async fn a_payout_without_a_reference_leaves_what_its_earnings_say(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        let one = earn(app, &referral, 550, "USD").await;
        app.put(&format!("/api/v1/earnings/{}", id(&one)), json!({ "reference_id": "ours" })).await.ok();
        let collected = collect(app, &program).await;
        settle(app, &collected["payouts"][0], "paid").await;
        assert_eq!(earning(app, &one).await["reference_id"], "ours");
    }

    async fn what_is_owed_back_is_set_off_against_the_next_payout(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        buy(app, &referral, "one", 10_000).await;
        let collected = collect(app, &program).await;
        assert_eq!(collected["totals"][0]["amount"], 1000);
        settle(app, &collected["payouts"][0], "paid").await;
        assert_eq!(refund(app, "one").await["reversed_amount"], 1000);
        buy(app, &referral, "two", 4_000).await;
        assert_eq!(dry_run(app, &program).await["payouts"], json!([]), "400 of 1000 are worked off");
        buy(app, &referral, "three", 9_000).await;
        let next = collect(app, &program).await;
        assert_eq!(next["totals"], json!([{ "currency": "USD", "payouts": 1, "amount": 300 }]));
        // Refunded on its way: what comes back settles the debt, and is not paid again.
        refund(app, "three").await;
        settle(app, &next["payouts"][0], "failed").await;
        assert_eq!(collect(app, &program).await["payouts"], json!([]));
        buy(app, &referral, "four", 10_000).await;
        assert_eq!(collect(app, &program).await["totals"][0]["amount"], 400, "1000 - 600 of three that were set off");
    }

    async fn an_earning_in_a_payout_follows_the_payout(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        let one = earn(app, &referral, 550, "USD").await;
        let collected = collect(app, &program).await;
        let path = format!("/api/v1/earnings/{}", id(&one));
        for change in [json!({ "status": "paid" }), json!({ "status": "failed" }), json!({ "amount": 1 })] {
            let refused = app.put(&path, change).await.refused_with(409);
            assert_eq!(refused["code"], "earning_in_payout");
        }
        app.put(&path, json!({ "description": "still on its way", "status": "processing" })).await.ok();
        settle(app, &collected["payouts"][0], "cancelled").await;
        app.put(&path, json!({ "status": "processing" })).await.ok();
        assert_eq!(collect(app, &program).await["payouts"], json!([]), "it is being paid by hand");
        app.put(&path, json!({ "status": "failed" })).await.ok();
        assert_eq!(collect(app, &program).await["totals"][0]["amount"], 550);
    }

    async fn bad_requests_say_so_and_pay_nothing(app: &TestApp) {
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        earn(app, &referral, 550, "USD").await;
        let post = async |body: Value| app.post("/api/v1/payouts:collect", body).await;
        post(json!({})).await.refused(400, "Missing required field: program_id");
        for dry_run in [true, false] {
            let unknown = json!({ "program_id": "prog_unknown", "dry_run": dry_run });
            post(unknown).await.refused(400, "Invalid program_id: no such program");
        }
        for bad in [json!("true"), json!(1), json!([])] {
            let body = json!({ "program_id": program["id"], "dry_run": bad });
            post(body).await.refused(400, "dry_run must be true or false");
        }
        post(json!({ "program_id": program["id"], "idempotency_key": "\u{1f}schedule" })).await.refused_with(400);
        assert_eq!(app.all("payouts").await, Vec::<Value>::new());
        let payout = collect(app, &program).await["payouts"][0].clone();
        let path = format!("/api/v1/payouts/{}", id(&payout));
        for (bad, message) in [
            (json!({ "status": "sent" }), "status must be one of processing, paid, failed, cancelled"),
            (json!({ "reference_id": 7 }), "reference_id must be a string"),
            (json!({ "failure_reason": "x".repeat(2001) }), "failure_reason must be at most 2000 characters"),
            (json!({ "metadata": [] }), "metadata must be an object"),
        ] {
            app.put(&path, bad).await.refused(400, message);
        }
        app.put("/api/v1/payouts/payout_unknown", json!({ "status": 1 })).await.refused(404, "Payout not found");
    }

    async fn anothers_payouts_are_nobodys(app: &TestApp) {
        let stranger = app.stranger().await;
        let program = a_paying_program(app, json!({})).await;
        let referral = a_referral_in(app, &program).await;
        earn(app, &referral, 550, "USD").await;
        let body = json!({ "program_id": program["id"] });
        stranger.post("/api/v1/payouts:collect", body).await.refused(400, "Invalid program_id: no such program");
        let collected = collect(app, &program).await;
        let payout = id(&collected["payouts"][0]);
        for tail in ["", "/history", "/earnings"] {
            stranger.get(&format!("/api/v1/payouts/{payout}{tail}")).await.refused(404, "Payout not found");
        }
        stranger.put(&format!("/api/v1/payouts/{payout}"), json!({ "status": "paid" })).await.refused(404, "Payout not found");
        let run = format!("/api/v1/payouts/collections/{}", id(&collected));
        stranger.get(&run).await.refused(404, "Collection not found");
        for list in [format!("collection_id={}", id(&collected)), format!("program_id={}", id(&program)), String::new()] {
            assert_eq!(stranger.get(&format!("/api/v1/payouts?{list}")).await.ok()["payouts"], json!([]));
            assert_eq!(stranger.get(&format!("/api/v1/payouts.csv?{list}")).await.text().lines().count(), 1);
        }
        assert_eq!(stranger.get("/api/v1/payouts/collections").await.ok()["collections"], json!([]));
        pay_day(&app.app).await.expect("done");
        assert_eq!(app.all("payouts").await[0]["status"], "processing", "it was not touched");
    }

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
