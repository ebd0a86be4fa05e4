//! The ledger: what is booked, what it adds up to at every moment, and why.

use diesel::connection::SimpleConnection;
use handbill::clock::Timestamp;
use handbill::earnings::accrue::accrue;
use handbill::earnings::model::NewEarning;
use handbill::ids::{EarningId, Id, ReferralId};
use handbill::metadata::Metadata;
use handbill::money::Cents;
use handbill::parse::Parse;
use handbill::payouts::model::PayoutStatus;
use serde_json::{Value, json};

use crate::support::money::id;
use crate::support::{TestApp, on_both};

/// Every transfer as `reason amount currency position`.
pub async fn booked(app: &TestApp, filter: &str) -> Vec<String> {
    let page = app
        .get(&format!("/api/v1/ledger/transfers?{filter}&limit=1000"))
        .await
        .ok();
    let transfers = page["transfers"].as_array().expect("transfers");
    let short = |transfer: &Value| {
        let text = |name: &str| transfer[name].as_str().expect("text").to_owned();
        format!(
            "{} {} {} {}",
            text("reason"),
            transfer["amount"],
            text("currency"),
            transfer["position"]
        )
    };
    transfers.iter().map(short).collect()
}

/// The present second, as the wire has it.
pub fn now(app: &TestApp) -> String {
    app.app.clock.now().to_string()
}

/// A purchase, a verification, a payout, refunds before and after it, a rejection and its end: something happens every
/// ten seconds. The ambassador's referral, and the balance at the end of each of the seconds.
pub async fn a_story(app: &TestApp) -> (Value, Vec<(String, Value)>) {
    let mut seen = Vec::new();
    let referral = app.a_referral_paid(json!({})).await;
    let mut look = async |app: &TestApp| {
        seen.push((now(app), app.balance(&referral, "USD", None).await));
        app.wait(10);
    };
    app.refunds("S1", 1_000, "before").await;
    app.buys(&referral, "S1", 9_990, "USD").await;
    look(app).await;
    app.decides(&referral, "verified").await;
    look(app).await;
    app.refunds("S1", 990, "after").await;
    app.buys(&referral, "S2", 4_000, "JPY").await;
    look(app).await;
    let payouts = app.collects(&referral).await;
    look(app).await;
    for payout in &payouts {
        app.settles(&payout.id, PayoutStatus::Paid).await;
    }
    look(app).await;
    app.refunds("S1", 5_000, "late").await;
    look(app).await;
    app.buys(&referral, "S3", 3_000, "USD").await;
    look(app).await;
    app.buys(&referral, "S4", 20_000, "USD").await;
    let failing = app.collects(&referral).await;
    look(app).await;
    app.settles(&failing[0].id, PayoutStatus::Failed).await;
    look(app).await;
    app.decides(&referral, "rejected").await;
    look(app).await;
    app.decides(&referral, "pending").await;
    app.an_earning_of(&referral).await;
    look(app).await;
    (referral, seen)
}

on_both! {
    async fn the_published_operations_book_their_transfers(app: &TestApp) {
        let earning = app.an_earning().await;
        let path = format!("/api/v1/earnings/{}", id(&earning));
        let of = format!("earning_id={}", id(&earning));
        assert_eq!(booked(app, &of).await, ["earned 550 USD 1"]);
        app.put(&path, json!({ "amount": 600 })).await.ok();
        app.put(&path, json!({ "description": "the same money" })).await.ok();
        let so_far = ["earned 550 USD 1", "corrected 550 USD 2", "earned 600 USD 3"];
        assert_eq!(booked(app, &of).await, so_far);
        app.wait(1);
        app.put(&path, json!({ "status": "processing" })).await.ok();
        let first = booked(app, &format!("earningId={}", id(&earning))).await;
        assert_eq!(first[3..], ["released 600 USD 4", "payout_started 600 USD 5"]);
        app.wait(1);
        app.put(&path, json!({ "status": "failed" })).await.ok();
        app.wait(1);
        app.put(&path, json!({ "currency": "EUR" })).await.ok();
        app.wait(1);
        app.put(&path, json!({ "status": "processing" })).await.ok();
        app.put(&path, json!({ "status": "paid" })).await.ok();
        let of_currency = |all: &[String], currency: &str| -> Vec<String> {
            all.iter().filter(|transfer| transfer.contains(currency)).cloned().collect()
        };
        let all = booked(app, &of).await;
        assert_eq!(of_currency(&all, "USD")[5..], ["payout_ended 600 USD 6", "held_again 600 USD 7", "corrected 600 USD 8"]);
        assert_eq!(of_currency(&all, "EUR"),
            ["earned 600 EUR 1", "released 600 EUR 2", "payout_started 600 EUR 3", "payout_paid 600 EUR 4"]);
        let story = app.get(&format!("{path}/explain")).await.ok();
        let steps = story["steps"].as_array().expect("steps").iter();
        let told: Vec<&str> = steps.map(|step| step["what"].as_str().expect("a word")).collect();
        assert_eq!(told, [
            "reported", "hold", "earned", "corrected", "earned", "released", "payout_started", "status",
            "payout_ended", "status", "held_again", "corrected", "earned", "released", "payout_started", "status",
            "payout_paid", "status",
        ]);
        let referral = app.get(&format!("/api/v1/referrals/{}", earning["referral_id"].as_str().expect("an id"))).await.ok();
        assert_eq!(app.balance(&referral, "EUR", None).await, json!({
            "currency": "EUR", "pending": 0, "available": 0, "in_payout": 0, "paid": 600, "owed_back": 0,
            "earned": 600, "reversed": 0,
        }));
        assert_eq!(app.balance(&referral, "USD", None).await["earned"], 0);
    }

    async fn a_transfer_says_what_moved_and_why(app: &TestApp) {
        let earning = app.an_earning().await;
        let transfers = app.get("/api/v1/ledger/transfers").await.ok();
        let one = &transfers["transfers"][0];
        assert_eq!(transfers, json!({
            "transfers": [{
                "id": one["id"], "student_id": one["student_id"], "currency": "USD", "position": 1, "debit": "expense",
                "credit": "pending", "amount": 550, "reason": "earned", "earning_id": earning["id"], "occasion": null,
                "created_at": "2024-03-01T09:00:00Z",
            }],
            "limit": 50, "offset": 0, "has_more": false,
        }));
        for filter in ["student_id=user_unknown", "studentId=", "earning_id=earn_unknown"] {
            assert!(booked(app, filter).await.is_empty(), "{filter}");
        }
        let stranger = app.stranger().await;
        assert_eq!(stranger.get("/api/v1/ledger/transfers").await.ok()["transfers"], json!([]));
        let student = one["student_id"].as_str().expect("an id");
        for (what, list) in [("balance", "balances"), ("statement", "statements")] {
            let path = format!("/api/v1/ledger/{what}");
            assert_eq!(stranger.get(&format!("{path}?student_id={student}")).await.ok()[list], json!([]));
            assert_eq!(app.get(&format!("{path}?studentId=no%20id")).await.ok()[list], json!([]));
            app.get(&path).await.refused(400, "Missing required field: student_id");
        }
        app.get(&format!("/api/v1/ledger/statement?student_id={student}&from=2024-03-02T00:00:00Z")).await
            .refused(400, "from must not be after as_of");
    }

    async fn no_transfer_can_be_changed_or_deleted(app: &TestApp) {
        app.an_earning().await;
        let mut conn = app.database.connect();
        let mut statements = vec![
            "UPDATE transfers SET amount = 1", "UPDATE transfers SET occasion = 'payout_x'", "DELETE FROM transfers",
            "INSERT INTO transfers SELECT account_id, 'tr_x', ambassador_id, currency, position, debit, credit, amount, \
                reason, earning_id, occasion, created_at FROM transfers",
            "UPDATE balances SET pending = -1", "DELETE FROM balances",
        ];
        if !app.database.is_sqlite() {
            statements.push("TRUNCATE transfers");
        }
        for statement in statements {
            assert!(conn.batch_execute(statement).is_err(), "{statement}");
        }
        assert_eq!(booked(app, "").await, ["earned 550 USD 1"]);
    }

    async fn the_balance_as_of_any_moment_is_the_one_shown_then(app: &TestApp) {
        let (referral, seen) = a_story(app).await;
        let student = referral["student_id"].as_str().expect("an id");
        let mut opening = None;
        let mut from = "2024-01-01T00:00:00Z".to_owned();
        for (at, shown) in &seen {
            assert_eq!(&app.balance(&referral, "USD", Some(at)).await, shown, "{at}");
            let fraction = at.replace('Z', ".000001%2B00:00");
            assert_eq!(&app.balance(&referral, "USD", Some(&fraction)).await, shown, "a second is whole");
            let path = format!("/api/v1/ledger/statement?student_id={student}&from={from}&as_of={at}&currency=USD");
            let statement = app.get(&path).await.ok()["statements"][0].clone();
            let mut closing = shown.clone();
            closing.as_object_mut().expect("an object").remove("currency");
            assert_eq!(statement["closing"], closing, "{at}");
            let lines = statement["lines"].as_array().expect("lines");
            let last = lines.last().map(|line| line["balance"].clone());
            assert_eq!(last.or(opening.clone()).expect("a balance"), closing, "{at}");
            if let Some(opening) = opening.replace(closing) {
                assert_eq!(statement["opening"], opening, "{at}");
            }
            from = Timestamp::parse(at).expect("a time").plus_seconds(1).to_string();
        }
        let before = app.get(&format!("/api/v1/ledger/balance?student_id={student}&as_of=2024-01-01T00:00:00Z")).await.ok();
        assert_eq!(before, json!({ "student_id": student, "as_of": "2024-01-01T00:00:00Z", "balances": [] }));
        assert_eq!(&app.balance(&referral, "USD", Some("2999-01-01T00:00:00Z")).await, &seen.last().expect("one").1);
    }

    async fn a_statement_is_read_page_by_page(app: &TestApp) {
        let (referral, _) = a_story(app).await;
        let student = referral["student_id"].as_str().expect("an id");
        let page = async |query: &str| {
            app.get(&format!("/api/v1/ledger/statement?student_id={student}&{query}")).await.ok()
        };
        let whole = page("limit=1000").await;
        let currencies: Vec<&Value> = whole["statements"].as_array().expect("statements").iter()
            .map(|statement| &statement["currency"]).collect();
        assert_eq!(currencies, ["JPY", "USD"]);
        assert_eq!(page("currency=EUR").await["statements"], json!([]));
        let lines = whole["statements"][1]["lines"].as_array().expect("lines").clone();
        assert!(lines.len() > 15, "{}", lines.len());
        let mut read = Vec::new();
        loop {
            let some = page(&format!("currency=USD&limit=4&offset={}", read.len())).await;
            assert_eq!((&some["limit"], &some["offset"]), (&json!(4), &json!(read.len())));
            let statement = &some["statements"][0];
            assert_eq!(statement["closing"], whole["statements"][1]["closing"]);
            read.extend(statement["lines"].as_array().expect("lines").clone());
            if statement["has_more"] == false {
                break;
            }
        }
        assert_eq!(read, lines);
        assert_eq!(page("currency=USD&offset=9223372036854775807").await["statements"][0]["lines"], json!([]));
        for (position, line) in (1..).zip(&lines) {
            assert_eq!(line["transfer"]["position"], position);
        }
    }

    async fn yen_and_dinars_are_booked_in_their_own_minor_units(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        app.buys(&referral, "J", 1_999, "JPY").await;
        app.buys(&referral, "K", 12_345, "KWD").await;
        app.refunds("K", 345, "k").await;
        assert_eq!(booked(app, "").await, [
            "earned 199 JPY 1", "earned 1234 KWD 1", "reversed_while_held 35 KWD 2",
        ]);
        assert_eq!(app.balance(&referral, "KWD", None).await["pending"], 1_199);
    }

    /// On PostgreSQL a write that began earlier may come to the books later.
    async fn no_transfer_is_older_than_the_one_before_it(app: &TestApp) {
        let referral = app.a_referral().await;
        app.wait(60);
        app.an_earning_of(&referral).await;
        let earlier = Timestamp::parse("2024-03-01T09:00:05Z").expect("a time");
        let referral_id = ReferralId::from_outside(id(&referral)).expect("an id");
        let (account, key) = app.who().await;
        app.app.db.write(move |conn, _| {
            let new = NewEarning {
                referral_id: referral_id.clone(), amount: Cents::try_from(5).expect("an amount"), currency: None,
                kind: None, description: None, metadata: Metadata::default(), retry: None,
            };
            accrue(conn, &account, &key, &EarningId::new(earlier), &new, earlier)
        }).await.expect("an earning");
        let transfers = app.get("/api/v1/ledger/transfers").await.ok();
        let at: Vec<&Value> = transfers["transfers"].as_array().expect("transfers").iter()
            .map(|transfer| &transfer["created_at"]).collect();
        assert_eq!(at, ["2024-03-01T09:01:00Z", "2024-03-01T09:01:00Z"]);
        assert_eq!(booked(app, "").await, ["earned 550 USD 1", "earned 5 USD 2"]);
    }
}
