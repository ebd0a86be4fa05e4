//! `handbill verify`: silent about what is right, loud about everything else.

use diesel::connection::SimpleConnection;
use handbill::db::DbConnection;
use serde_json::{Value, json};

use crate::command_line::{self, handbill};
use crate::introductions::a_rewarded_introduction;
use crate::ledger::a_story;
use crate::support::{Database, TestApp, on_both};

/// What `verify` says, and whether it is content.
pub fn verify(app: &TestApp) -> (Value, bool) {
    let output = handbill(&app.database.url, &["verify", "--json"]);
    let said = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (said, output.status.success())
}

/// What is broken, with what, how to mend it, and what has to be said about it.
const BREAKS: [(&str, &str, &str); 22] = [
    (
        "UPDATE balances SET paid = paid + 1 WHERE currency = 'USD'",
        "UPDATE balances SET paid = paid - 1 WHERE currency = 'USD'",
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
    ),
    (
        "UPDATE transfers SET amount = amount + 1 WHERE position = 2",
        "UPDATE transfers SET amount = amount - 1 WHERE position = 2",
        "Every earning's portions are what its transfers add up to",
    ),
    (
        "UPDATE transfers SET position = 1000 WHERE position = 3 AND currency = 'USD'",
        "UPDATE transfers SET position = 3 WHERE position = 1000",
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
    ),
    (
        "UPDATE transfers SET debit = 'in_payout', credit = 'expense' WHERE position = 4 AND currency = 'JPY'",
        "UPDATE transfers SET debit = 'in_payout', credit = 'paid' WHERE position = 4 AND currency = 'JPY'",
        "Every balance is what its transfers add up to, one by one, without a gap, never below zero",
    ),
    (
        "UPDATE earnings SET paid = paid - 1, set_off = set_off + 1 WHERE paid > 0",
        "UPDATE earnings SET paid = paid + 1, set_off = set_off - 1 WHERE paid > 0",
        "Every balance is what the ambassador's earnings have in that currency",
    ),
    (
        "UPDATE payout_items SET amount = amount + 1",
        "UPDATE payout_items SET amount = amount - 1",
        "Every payout is the sum of its items",
    ),
    (
        "UPDATE payout_items SET live = 0 WHERE live = 1 AND payout_id IN (SELECT id FROM payouts WHERE status = 'paid')",
        "UPDATE payout_items SET live = 1 WHERE payout_id IN (SELECT id FROM payouts WHERE status = 'paid')",
        "Every payout holds its earnings while it is on its way or has arrived",
    ),
    (
        "UPDATE refunds SET amount = amount - 1",
        "UPDATE refunds SET amount = amount + 1",
        "Every order is refunded by what its refunds add up to",
    ),
    (
        "UPDATE refunds SET reversed = reversed + 1",
        "UPDATE refunds SET reversed = reversed - 1",
        "Every refund took back what its transfers add up to",
    ),
    (
        "UPDATE conversions SET commission = commission - 1",
        "UPDATE conversions SET commission = commission + 1",
        "Every commission is what its computation says, and no more than the order",
    ),
    (
        "UPDATE referral_moves SET position = 9 WHERE position = 3",
        "UPDATE referral_moves SET position = 3 WHERE position = 9",
        "Every referral stands where its history leads",
    ),
    (
        "UPDATE daily_stats SET verified = verified + 1",
        "UPDATE daily_stats SET verified = verified - 1",
        "Every ambassador's signups are counted, by day and by where they stand",
    ),
    (
        "UPDATE daily_stats SET scans = scans + 1",
        "UPDATE daily_stats SET scans = scans - 1",
        "Every day's scans are counted",
    ),
    (
        "UPDATE introductions SET reward_amount = reward_amount + 1",
        "UPDATE introductions SET reward_amount = reward_amount - 1",
        "Every reward of an introduction was booked, and stands once at most",
    ),
    (
        "UPDATE conversions SET coupon_code = NULL",
        "UPDATE conversions SET coupon_code = (SELECT code FROM coupons k WHERE k.conversion_id = conversions.id)",
        "Every coupon was used for the order that says so",
    ),
    (
        "UPDATE impressions SET poster_id = 'x' || poster_id",
        "UPDATE impressions SET poster_id = substr(poster_id, 2)",
        "Every scan is of a poster that is there",
    ),
    (
        "UPDATE referrals SET impression_id = 'x' || impression_id",
        "UPDATE referrals SET impression_id = substr(impression_id, 2)",
        "Every signup is of a scan that is there, and of whose poster it was",
    ),
    (
        "UPDATE referrals SET ambassador_id = 'x' || ambassador_id",
        "UPDATE referrals SET ambassador_id = substr(ambassador_id, 2)",
        "Every signup is of a scan that is there, and of whose poster it was",
    ),
    (
        "UPDATE events SET account_id = 2147483647 - account_id",
        "UPDATE events SET account_id = 2147483647 - account_id",
        "Nothing is of an account that is not there",
    ),
    (
        "UPDATE referrals SET program_id = 'x' || program_id",
        "UPDATE referrals SET program_id = substr(program_id, 2)",
        "Every signup is of a scan that is there, and of whose poster it was",
    ),
    (
        "INSERT INTO impressions (account_id, id, poster_id, scanned_at, metadata) VALUES (7, 'i', 'p', 1, '{}')",
        "DELETE FROM impressions WHERE account_id = 7",
        "Nothing is of an account that is not there",
    ),
    (
        "INSERT INTO referrals (account_id, id, impression_id, program_id, ambassador_id, first_name, last_name, email, \
            email_folded, status, metadata, created_at, updated_at) \
         VALUES (7, 'r', 'i', 'p', 'a', 'A', 'B', 'a@b.c', 'a@b.c', 'pending', '{}', 1, 1)",
        "DELETE FROM referrals WHERE account_id = 7",
        "Nothing is of an account that is not there",
    ),
];

/// Takes away what keeps transfers from being changed and scans from being deleted.
fn disarm(conn: &mut DbConnection) {
    let statement = match conn {
        DbConnection::Sqlite(_) => {
            "DROP TRIGGER transfers_are_not_changed; DROP TRIGGER transfers_are_not_deleted; \
             DROP TRIGGER impressions_are_not_deleted"
        }
        DbConnection::Postgres(_) => {
            "ALTER TABLE transfers DISABLE TRIGGER transfers_stay; \
             ALTER TABLE impressions DISABLE TRIGGER impressions_stay"
        }
    };
    conn.batch_execute(statement).expect("no triggers");
}

on_both! {
    async fn everything_adds_up_after_a_story_with_everything_in_it(app: &TestApp) {
        assert!(verify(app).1, "nothing adds up to nothing");
        a_story(app).await;
        a_rewarded_introduction(app).await;
        app.stranger().await.an_earning().await;
        let (said, content) = verify(app);
        assert!(content, "{said}");
        assert_eq!((&said["count"], &said["differences"]), (&json!(0), &json!([])));
        for check in said["checks"].as_array().expect("checks") {
            assert!(check["checked"].as_i64().is_some_and(|checked| checked > 0), "{check}");
        }
        let plain = handbill(&app.database.url, &["verify"]);
        let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
        assert!(plain.starts_with("ok ") && plain.ends_with("Everything adds up.\n"), "{plain}");
    }

    async fn it_is_content_while_others_write(app: &TestApp) {
        let referral = app.a_referral_paid(json!({})).await;
        app.decides(&referral, "verified").await;
        let url = app.database.url.clone();
        let verifying = tokio::task::spawn_blocking(move || {
            (0..4).map(|_| handbill(&url, &["verify"])).collect::<Vec<_>>()
        });
        let mut orders = 0;
        while !verifying.is_finished() {
            let order = format!("order {orders}");
            app.buys(&referral, &order, 1_000, "USD").await;
            app.refunds(&order, 500, &order).await;
            orders += 1;
        }
        for output in verifying.await.expect("outputs") {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        assert!(orders > 1, "{orders}");
    }

    async fn whatever_is_wrong_is_said_and_fails(app: &TestApp) {
        a_story(app).await;
        a_rewarded_introduction(app).await;
        let mut conn = app.database.connect();
        disarm(&mut conn);
        for (wrong, right, check) in BREAKS {
            conn.batch_execute(wrong).expect(wrong);
            let (said, content) = verify(app);
            assert!(!content, "{wrong}");
            let differences = said["differences"].as_array().expect("differences");
            assert!(differences.iter().any(|difference| difference["check"] == check), "{wrong}: {said}");
            conn.batch_execute(right).expect(right);
            let (said, content) = verify(app);
            assert!(content, "{right}: {said}");
        }
        conn.batch_execute("DELETE FROM transfers WHERE reason = 'released'").expect("deleted");
        let output = handbill(&app.database.url, &["verify"]);
        assert_eq!(output.status.code(), Some(1));
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.starts_with("handbill: there are "), "{complaint}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("WRONG") && said.contains("follows transfer"), "{said}");
    }
}

#[actix_web::test]
async fn a_row_that_points_nowhere_is_said() {
    let app = TestApp::start(Database::sqlite()).await;
    app.an_earning().await;
    let statement = "PRAGMA foreign_keys = OFF; UPDATE posters SET ambassador_id = 'user_gone'";
    app.database
        .connect()
        .batch_execute(statement)
        .expect("a broken row");
    let (said, content) = verify(&app);
    assert!(!content);
    let differences = said["differences"].as_array().expect("differences");
    let problem = "it points at a row of ambassadors that is not there";
    assert!(
        differences
            .iter()
            .any(|difference| difference["problem"] == problem),
        "{said}"
    );
    app.stop().await;
}

/// PostgreSQL refuses them.
#[actix_web::test]
async fn a_text_that_no_request_could_have_brought_is_said() {
    const SIGNUPS: &str = "Every signup's texts are such as are taken";
    const SCANS: &str = "Every scan's texts are such as are taken";
    let app = TestApp::start(Database::sqlite()).await;
    app.an_earning().await;
    let mut conn = app.database.connect();
    let long = "replace(hex(zeroblob(1025)), '0', 'a')";
    for (table, column, value, check) in [
        ("referrals", "first_name", long, SIGNUPS),
        ("referrals", "profile_picture", long, SIGNUPS),
        ("referrals", "metadata", "'{'", SIGNUPS),
        ("referrals", "metadata", "'{x}'", SIGNUPS),
        ("impressions", "user_agent", long, SCANS),
        ("impressions", "metadata", "'{x}'", SCANS),
        (
            "events",
            "data",
            "'{\"a\":}'",
            "Every event's object is one",
        ),
    ] {
        let key = if table == "events" { "sequence" } else { "id" };
        let statement = format!(
            "CREATE TABLE kept AS SELECT {key}, {column} AS was FROM {table}; UPDATE {table} SET {column} = {value}"
        );
        conn.batch_execute(&statement).expect("an odd text");
        let (said, content) = verify(&app);
        assert!(!content, "{statement}");
        let differences = said["differences"].as_array().expect("differences");
        let is_said = |difference: &Value| difference["check"] == check;
        assert!(differences.iter().any(is_said), "{statement}: {said}");
        let back = format!(
            "UPDATE {table} SET {column} = (SELECT was FROM kept WHERE kept.{key} = {table}.{key}); DROP TABLE kept"
        );
        conn.batch_execute(&back).expect("as it was");
        assert!(verify(&app).1, "{back}");
    }
    app.stop().await;
}

#[test]
fn a_database_that_is_not_up_to_date_is_not_called_right() {
    for database in [Database::empty_sqlite(), Database::empty_postgres()] {
        let output = handbill(&database.url, &["verify"]);
        assert_eq!(output.status.code(), Some(1));
        command_line::json(&handbill(&database.url, &["migrate", "--json"]));
        assert!(handbill(&database.url, &["verify"]).status.success());
    }
}
