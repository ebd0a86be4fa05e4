//! The two schemas are one schema, the program's idea of it is theirs, and the databases hold the rules.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use handbill::db::DbConnection;
use handbill::db::tables::TABLES;
use handbill::erasures::event_queries::OF_SCANS;
use handbill::events::queries::OF_INTRODUCTIONS;

use crate::support::Database;

#[derive(QueryableByName, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    nullable: i64,
}

fn columns(conn: &mut DbConnection) -> Vec<Column> {
    let query = match conn {
        DbConnection::Sqlite(_) => {
            "SELECT m.name AS table_name, c.cid + 1 AS position, c.name AS column_name, \
             CASE c.type WHEN 'INTEGER' THEN 'number' WHEN 'TEXT' THEN 'text' ELSE c.type END AS kind, \
             CASE WHEN c.\"notnull\" = 0 AND c.pk = 0 THEN 1 ELSE 0 END AS nullable \
             FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' \
             ORDER BY 1, 2"
        }
        DbConnection::Postgres(_) => {
            "SELECT table_name::text, ordinal_position::bigint AS position, column_name::text, \
             CASE WHEN data_type IN ('bigint', 'integer') THEN 'number' ELSE data_type::text END AS kind, \
             CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END::bigint AS nullable \
             FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%' \
             ORDER BY table_name COLLATE \"C\", ordinal_position"
        }
    };
    sql_query(query).load(conn).expect("columns")
}

#[derive(QueryableByName, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn indexes(conn: &mut DbConnection) -> BTreeSet<String> {
    let query = match conn {
        DbConnection::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'"
        }
        DbConnection::Postgres(_) => {
            "SELECT c.relname::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() \
             AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))"
        }
    };
    let names: Vec<Name> = sql_query(query).load(conn).expect("indexes");
    names.into_iter().map(|index| index.name).collect()
}

#[test]
fn both_databases_have_the_same_columns_and_indexes() {
    let (sqlite, postgres) = (Database::sqlite(), Database::postgres());
    let (one, two) = (
        columns(&mut sqlite.connect()),
        columns(&mut postgres.connect()),
    );
    assert!(one.len() > 70, "{}", one.len());
    assert_eq!(one, two);
    let (one, two) = (
        indexes(&mut sqlite.connect()),
        indexes(&mut postgres.connect()),
    );
    assert!(one.len() > 10, "{one:?}");
    assert_eq!(one, two);
}

#[derive(QueryableByName, Debug)]
struct Reference {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    parent: String,
}

/// A table that is missing in `src/db/tables.rs` would be missing in every export, every move, and PostgreSQL's backups.
#[test]
fn every_table_is_copied_after_what_it_points_at() {
    let mut conn = Database::sqlite().connect();
    let stored: BTreeSet<String> = columns(&mut conn)
        .into_iter()
        .map(|column| column.table_name)
        // It says something about processes, not about rows.
        .filter(|name| name != "cache_generation")
        .collect();
    let place = |name: &str| TABLES.iter().position(|table| table.name == name);
    let listed: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    assert_eq!(stored, listed);
    assert_eq!(listed.len(), TABLES.len(), "each stands there once");
    for table in TABLES {
        let key = "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk";
        let key: Vec<Name> = sql_query(key)
            .bind::<Text, _>(table.name)
            .load(&mut conn)
            .expect("a key");
        let key: Vec<&str> = key.iter().map(|column| &*column.name).collect();
        assert_eq!(table.key, key, "{}", table.name);
    }
    let references = "SELECT m.name AS child, f.\"table\" AS parent FROM sqlite_master m, \
        pragma_foreign_key_list(m.name) f WHERE m.type = 'table' AND f.\"table\" <> m.name";
    let references: Vec<Reference> = sql_query(references)
        .load(&mut conn)
        .expect("the references");
    assert!(references.len() > 20, "{references:?}");
    // What comes in crowds points without a foreign key (docs/decisions/0018).
    let undeclared = [
        ("impressions", "posters"),
        ("referrals", "impressions"),
        ("referrals", "ambassadors"),
        ("events", "accounts"),
    ];
    for (child, parent) in undeclared {
        assert!(place(parent) < place(child), "{child} points at {parent}");
    }
    for Reference { child, parent } in references {
        assert!(
            place(&parent) < place(&child),
            "{child} points at {parent}, which comes later"
        );
    }
}

/// `schema.rs` is written by hand; this reads it as text and holds it against the databases.
#[test]
fn the_programs_idea_of_the_tables_is_the_databases() {
    let source = concat!(
        include_str!("../../src/db/schema.rs"),
        include_str!("../../src/db/schema/people.rs"),
        include_str!("../../src/db/schema/money.rs"),
        include_str!("../../src/db/schema/webhooks.rs")
    );
    let mut written = Vec::new();
    let mut table = String::new();
    let mut position = 0;
    for line in source.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name.to_owned();
            position = 0;
        } else if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            position += 1;
            written.push(Column {
                table_name: table.clone(),
                position,
                column_name: column.to_owned(),
                kind: if kind.contains("BigInt") || kind == "Integer" {
                    "number"
                } else {
                    "text"
                }
                .to_owned(),
                nullable: i64::from(kind.starts_with("Nullable")),
            });
        }
    }
    written.sort();
    let mut stored = columns(&mut Database::sqlite().connect());
    stored.sort();
    assert_eq!(written, stored);
}

#[derive(QueryableByName, Debug)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Else a list of what is rare would walk through all that the account has. SQLite says beforehand what it will do. (A
/// program's collections are few.)
#[test]
fn a_list_that_is_narrowed_to_one_thing_is_found_by_an_index() {
    let mut conn = Database::sqlite().connect();
    for (table, column, order) in [
        ("acts", "acted_by", "id"),
        ("acts", "object_id", "id"),
        ("ambassadors", "program_id", "id"),
        ("conversions", "program_id", "id"),
        ("conversions", "ambassador_id", "id"),
        ("conversions", "referral_id", "id"),
        ("conversions", "order_id", "id"),
        ("coupons", "referral_id", "referral_id"),
        ("daily_stats", "poster_id", "day + 0"),
        ("earnings", "program_id", "id"),
        ("earnings", "ambassador_id", "id"),
        ("earnings", "referral_id", "id"),
        ("impressions_of", "whose", "id"),
        ("introductions", "referrer_id", "referral_id"),
        ("introductions", "referred_id", "referral_id"),
        ("payouts", "program_id", "id"),
        ("payouts", "ambassador_id", "id"),
        ("payouts", "collection_id", "id"),
        ("posters", "program_id", "id"),
        ("posters", "ambassador_id", "id"),
        ("referrals", "program_id", "id"),
        ("referrals", "ambassador_id", "id"),
        ("refunds", "conversion_id", "id"),
        ("refunds", "order_id", "id"),
        ("transfers", "ambassador_id", "id"),
        ("transfers", "earning_id", "id"),
    ] {
        let query = format!(
            "EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE account_id = 1 AND {column} = 'x' ORDER BY {order} LIMIT 50"
        );
        let plan: Vec<Step> = sql_query(query).load(&mut conn).expect("a plan");
        let by_it = format!("(account_id=? AND {column}=?");
        assert!(plan[0].detail.contains(&by_it), "{plan:?}");
    }
}

/// They are found by an index of only some rows if the statement says the same words as it.
#[test]
fn events_of_scans_and_of_introductions_are_found_among_many() {
    for (words, order, index) in [
        (OF_SCANS, "created_at, sequence", "events_of_scans"),
        (OF_INTRODUCTIONS, "sequence", "events_of_introductions"),
    ] {
        let query = format!(
            "SELECT sequence FROM events WHERE account_id = 1 AND sequence > 0 AND {words} ORDER BY {order} LIMIT 50"
        );
        let mut conn = Database::sqlite().connect();
        let explain = format!("EXPLAIN QUERY PLAN {query}");
        let plan: Vec<Step> = sql_query(explain).load(&mut conn).expect("a plan");
        assert!(plan[0].detail.contains(index), "{plan:?}");

        let mut conn = Database::postgres().connect();
        conn.batch_execute(
            "INSERT INTO events (account_id, sequence, kind, object_id, data, created_at) \
             SELECT 1, n, 'referral.created', 'x', '{}', n FROM generate_series(1, 5000) n; ANALYZE events",
        )
        .expect("events");
        // An answer in words has a column whose name is not an identifier's; in one piece it can be asked for.
        let explain = format!("EXPLAIN (FORMAT JSON) {query}");
        conn.batch_execute(&format!(
            "CREATE FUNCTION plan() RETURNS json LANGUAGE plpgsql AS $$ DECLARE steps json; \
             BEGIN EXECUTE $q${explain}$q$ INTO steps; RETURN steps; END $$"
        ))
        .expect("a function");
        let plan: Vec<Step> = sql_query("SELECT plan()::text AS detail")
            .load(&mut conn)
            .expect("a plan");
        assert!(plan[0].detail.contains(index), "{plan:?}");
    }
}
