//! `/api/v1/payouts`: what is due is paid once, and what became of it is booked.

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

pub async fn buy(app: &Caller, referral: &Value, order: &str, amount: i64) {
    let body = json!({ "referral_id": referral["id"], "order_id": order, "amount": amount });
    app.post("/api/v1/conversions", body).await.ok();
}

pub async fn refund(app: &Caller, order: &str) -> Value {
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

pub async fn dry_run(app: &Caller, program: &Value) -> Value {
    let body = json!({ "program_id": program["id"], "dry_run": true });
    app.post("/api/v1/payouts:collect", body).await.ok()
}

pub async fn settle(app: &Caller, payout: &Value, status: &str) -> Value {
    let path = format!("/api/v1/payouts/{}", id(payout));
    app.put(&path, json!({ "status": status })).await.ok()
}

pub async fn earning(app: &Caller, earning: &Value) -> Value {
    app.get(&format!("/api/v1/earnings/{}", id(earning)))
        .await
        .ok()
}

/// What was paid: to whom, in what, how much.
pub fn paid(collection: &Value) -> Vec<(String, String, i64)> {
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
}
