//! Every test, in one binary. Names are sentences; each runs against a real server on a real database, and
//! what can be asked of both databases is asked of both (`on_both!`).

#![expect(
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics, and its helpers are public to each other"
)]

mod support;

mod architecture;
mod audit_log;
mod auth;
mod backup;
mod bad_input;
mod caps_reopened;
mod claw_backs;
mod command_line;
mod configuration;
mod conversions;
mod coupons;
mod currency_races;
mod customers;
mod deep_offsets;
mod demo;
mod docs;
mod earnings;
mod equal_answers;
mod erased_again;
mod erased_bytes;
mod erased_people;
mod event_numbers;
mod events;
mod explanations;
mod fairness;
mod forbidden;
mod idempotency;
mod impressions;
mod introductions;
mod journal;
mod journal_gone_wrong;
mod journal_on_disk;
mod joy;
mod joy_stories;
mod keys;
mod keys_and_customers;
mod killed;
mod killed_moves;
mod killed_webhooks;
mod ledger;
mod listen;
mod migrations;
mod money_by_hand;
mod money_examples;
mod money_model;
mod moving;
mod naughty;
mod other_databases;
mod overload;
mod pages;
mod payday;
mod payout_races;
mod payout_refusals;
mod payouts;
mod payouts_in_pieces;
mod personal_columns;
mod posters;
mod power_cuts;
mod privacy;
mod programs;
mod promises;
mod publishable_keys;
mod published_clients;
mod quiet_log;
mod races;
mod rate_limit;
mod referrals;
mod refunds;
mod remembered;
mod retention;
mod retries;
mod rewards_taken_back;
mod rule_shapes;
mod rules;
mod same_answers;
mod scans;
mod schema;
mod second_servers;
mod seen_in_peers;
mod slow_clients;
mod starts;
mod stats;
mod tenancy;
mod told_to_stop;
mod tour;
mod transport;
mod users;
mod verify;
mod verify_breaks;
mod vinr;
mod vinr_endpoints;
mod vinr_lists;
mod vinr_retries;
mod walks;
mod watched;
mod webhook_crowd;
mod webhook_failures;
mod webhook_keeping;
mod webhook_orders;
mod webhook_processes;
mod webhook_secrets;
mod webhooks;
mod whatever_comes;
mod worker;
