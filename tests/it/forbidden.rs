//! What the databases themselves refuse.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use handbill::db::DbConnection;
use handbill::earnings::model::EarningStatus;
use handbill::referrals::model::ReferralStatus;
use serde_json::json;

use crate::support::{Database, TestApp};

/// Statements that the databases themselves must refuse, whoever sends them.
const FORBIDDEN: [&str; 36] = [
    "UPDATE earnings SET amount = 0",
    "UPDATE earnings SET amount = 100000000000",
    "UPDATE earnings SET currency = 'usd'",
    "UPDATE earnings SET status = 'lost'",
    "UPDATE earnings SET status = 'paid'",
    "UPDATE earnings SET held = held + 1",
    "UPDATE earnings SET held = -1, available = 551",
    "UPDATE earnings SET clawed_back = 551",
    "UPDATE balances SET pending = -1",
    "UPDATE balances SET available = 1, owed_back = 1",
    "UPDATE transfers SET amount = 1",
    "DELETE FROM transfers",
    "INSERT INTO transfers SELECT * FROM transfers",
    "DELETE FROM balances",
    "UPDATE conversions SET refunded = amount + 1",
    "UPDATE conversions SET commission = amount + 1",
    "UPDATE conversions SET kind = 'gift'",
    "UPDATE earnings SET origin = 'found'",
    "UPDATE refunds SET status = 'applied'",
    "UPDATE referrals SET status = 'verified'",
    "UPDATE referrals SET metadata = '[]'",
    "UPDATE referrals SET metadata = ''",
    "UPDATE referrals SET first_name = ''",
    "UPDATE referrals SET email = ''",
    "UPDATE impressions SET metadata = '[]'",
    "UPDATE events SET data = 'null'",
    "UPDATE referrals SET idempotency_key = 'a'",
    "UPDATE referrals SET account_id = 7",
    "UPDATE posters SET program_id = 'prog_other'",
    "UPDATE programs SET commission_basis_points = 10001",
    "DELETE FROM impressions",
    "UPDATE impressions SET id = 'imp_other'",
    "UPDATE commission_rules SET version = 2",
    "DELETE FROM commission_rules",
    "INSERT INTO commission_rules SELECT account_id, program_id, 0, rule, created_at, NULL FROM commission_rules",
    "INSERT INTO commission_rules SELECT account_id, program_id, 2, '[]', created_at, NULL FROM commission_rules",
];

#[actix_web::test]
async fn the_databases_refuse_what_the_code_refuses() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start(database).await;
        let earning = app.an_earning().await;
        let order =
            json!({ "referral_id": earning["referral_id"], "order_id": "order_1", "amount": 100 });
        app.post("/api/v1/conversions", order).await.ok();
        let refund = json!({ "order_id": "order_2", "idempotency_key": "refund_1" });
        app.post("/api/v1/refunds", refund).await.ok();
        let mut conn = app.database.connect();
        for statement in FORBIDDEN {
            assert!(conn.batch_execute(statement).is_err(), "{statement}");
        }
        if app.database.is_sqlite() {
            assert!(
                conn.batch_execute("UPDATE earnings SET amount = 'many'")
                    .is_err(),
                "STRICT"
            );
            for table in ["transfers", "commission_rules"] {
                let replace = format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}");
                assert!(conn.batch_execute(&replace).is_err(), "{replace}");
            }
        }
        if !app.database.is_sqlite() {
            let empty = "TRUNCATE impressions";
            assert!(conn.batch_execute(empty).is_err(), "{empty}");
        }
        app.stop().await;
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    opcode: String,
}

/// One would make SQLite keep a journal of every statement of many rows (docs/decisions/0018).
#[actix_web::test]
async fn sqlite_stores_what_comes_in_crowds_without_calling_a_function() {
    let database = Database::sqlite();
    let mut conn = database.connect();
    for table in ["impressions", "referrals", "events", "accounts"] {
        let statement = format!("EXPLAIN INSERT OR FAIL INTO {table} SELECT * FROM {table}");
        let steps: Vec<Step> = sql_query(statement).load(&mut conn).expect("steps");
        let calls = steps.iter().any(|step| step.opcode.contains("Func"));
        assert_eq!(calls, table == "accounts", "{table}");
    }
}

/// A check with `IN` of three or more makes one (docs/decisions/0018).
#[test]
fn sqlite_stores_what_grows_without_a_table_per_row() {
    let database = Database::sqlite();
    let mut conn = database.connect();
    for table in [
        "impressions",
        "referrals",
        "events",
        "daily_stats",
        "conversions",
        "earnings",
        "transfers",
        "payouts",
        "webhook_deliveries",
        "programs",
    ] {
        // Of one column; the checks are those of all.
        let statement = format!("EXPLAIN INSERT OR FAIL INTO {table} (account_id) VALUES (1)");
        let steps: Vec<Step> = sql_query(statement).load(&mut conn).expect("steps");
        let makes = steps.iter().any(|step| step.opcode == "OpenEphemeral");
        assert_eq!(makes, table == "programs", "{table}");
    }
}

/// Each with a word that is one and a word that is none. The triggers of moves look before the checks do, so they are not asked.
const WORDS: [(&str, &str, &str); 6] = [
    ("UPDATE referrals SET status = 'WORD'", "rejected", "lost"),
    ("UPDATE earnings SET status = 'WORD'", "failed", "lost"),
    (
        "INSERT INTO transfers SELECT account_id, 'tr_x', ambassador_id, currency, 9, 'WORD', credit, amount, reason, \
            earning_id, occasion, created_at FROM transfers",
        "owed_back",
        "elsewhere",
    ),
    (
        "INSERT INTO transfers SELECT account_id, 'tr_x', ambassador_id, currency, 9, debit, 'WORD', amount, reason, \
            earning_id, occasion, created_at FROM transfers",
        "owed_back",
        "elsewhere",
    ),
    (
        "INSERT INTO payouts (account_id, id, collection_id, program_id, ambassador_id, amount, currency, status, metadata, \
            created_at, updated_at) SELECT account_id, 'pay_x', 'x', program_id, ambassador_id, 1, 'USD', 'WORD', '{}', 1, 1 \
            FROM earnings",
        "failed",
        "lost",
    ),
    (
        "INSERT INTO webhook_deliveries (account_id, endpoint_id, event_id, kind, status, attempts, took_ms, first_at, \
            last_at) VALUES (1, 'x', 'x', 'x', 'WORD', 1, 1, 1, 1)",
        "delivered",
        "lost",
    ),
];

#[actix_web::test]
async fn the_databases_refuse_words_that_are_none() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start(database).await;
        app.an_earning().await;
        let mut conn = app.database.connect();
        let mut complaint = |statement: &str| {
            conn.batch_execute("BEGIN").expect("a transaction");
            for table in ["referrals", "earnings"] {
                disable_trigger(&mut conn, table);
            }
            let error = conn.batch_execute(statement).err();
            conn.batch_execute("ROLLBACK").expect("back");
            error.map(|error| error.to_string().to_lowercase())
        };
        for (statement, known, unknown) in WORDS {
            // A payout and a delivery are of something that is not there, which is another complaint.
            let taken = complaint(&statement.replace("WORD", known));
            let is_taken = taken
                .as_ref()
                .is_none_or(|error| error.contains("foreign key"));
            assert!(is_taken, "{statement} {taken:?}");
            let refused = complaint(&statement.replace("WORD", unknown)).expect(statement);
            assert!(refused.contains("check"), "{statement} {refused}");
        }
        app.stop().await;
    }
}

/// The tables of moves stand in the code and in the triggers; they must be one table.
#[actix_web::test]
async fn the_databases_know_the_same_moves_as_the_code() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start(database).await;
        app.an_earning().await;
        let mut conn = app.database.connect();
        let mut moves = |table: &str, from: &str, to: &str, extra: &dyn Fn(&str) -> String| {
            let there = format!("UPDATE {table} SET status = '{to}'{}", extra(to));
            // The way to `from` may itself be forbidden, so the row is put there with the trigger out of the way.
            conn.batch_execute("BEGIN").expect("a transaction");
            disable_trigger(&mut conn, table);
            conn.batch_execute(&format!(
                "UPDATE {table} SET status = '{from}'{}",
                extra(from)
            ))
            .expect("there");
            enable_trigger(&mut conn, table);
            let moved = conn.batch_execute(&there).is_ok();
            conn.batch_execute("ROLLBACK").expect("back");
            moved
        };
        let verified_at = |_: &str| ", verified_at = 1".to_owned();
        let paid_at = |status: &str| {
            format!(
                ", paid_at = {}",
                if status == "paid" { "1" } else { "NULL" }
            )
        };
        for from in ReferralStatus::ALL {
            for to in ReferralStatus::ALL {
                let allowed = from == to || from.moves().contains(to);
                assert_eq!(
                    moves("referrals", from.as_str(), to.as_str(), &verified_at),
                    allowed,
                    "{from:?} {to:?}"
                );
            }
        }
        for from in EarningStatus::ALL {
            for to in EarningStatus::ALL {
                let allowed = from == to || from.moves().contains(to) || from.ends().contains(to);
                assert_eq!(
                    moves("earnings", from.as_str(), to.as_str(), &paid_at),
                    allowed,
                    "{from:?} {to:?}"
                );
            }
        }
        app.stop().await;
    }
}

fn disable_trigger(conn: &mut DbConnection, table: &str) {
    let statement = match conn {
        DbConnection::Sqlite(_) => format!("DROP TRIGGER {table}_move_as_allowed"),
        DbConnection::Postgres(_) => {
            format!("ALTER TABLE {table} DISABLE TRIGGER {table}_move_as_allowed")
        }
    };
    conn.batch_execute(&statement).expect("the trigger");
}

fn enable_trigger(conn: &mut DbConnection, table: &str) {
    let statement = match conn {
        DbConnection::Sqlite(_) => {
            let name = match table {
                "referrals" => "2026-11-21-000007_create_referrals",
                _ => "2026-11-21-000009_create_earnings",
            };
            let path = format!(
                "{}/migrations/sqlite/{name}/up.sql",
                env!("CARGO_MANIFEST_DIR")
            );
            let text = std::fs::read_to_string(path).expect("the migration");
            let start = text.find("CREATE TRIGGER").expect("the trigger");
            text[start..].to_owned()
        }
        DbConnection::Postgres(_) => {
            format!("ALTER TABLE {table} ENABLE TRIGGER {table}_move_as_allowed")
        }
    };
    conn.batch_execute(&statement).expect("the trigger");
}
