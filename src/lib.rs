//! handbill: the backend of an ambassador programme that recruits through QR posters.
//!
//! The folders are the business. In the order of the money: invitations, programs, ambassadors, posters,
//! impressions, conversions, refunds, referrals, introductions, customers, coupons, payouts, earnings, rules, ledger. In each, the file names are the layers: `model` (what it is), `queries` (every
//! statement about its table), one file per verb, `routes` (its contract on the wire).
//! `docs/architecture.md` says where everything lives and why.

pub mod app;
pub mod cli;
pub mod config;
pub mod dialects;
pub mod payday;
pub mod worker;

pub mod accounts;
pub mod acts;
pub mod ambassadors;
pub mod api_keys;
pub mod audit;
pub mod conversions;
pub mod copies;
pub mod coupons;
pub mod customers;
pub mod earnings;
pub mod erasures;
pub mod events;
pub mod impressions;
pub mod introductions;
pub mod invitations;
pub mod ledger;
pub mod payouts;
pub mod posters;
pub mod programs;
pub mod referrals;
pub mod refunds;
pub mod replies;
pub mod rules;
pub mod stats;
pub mod webhooks;

pub mod bounds;
pub mod clock;
pub mod encryption;
pub mod error;
pub mod idempotency;
pub mod ids;
pub mod metadata;
pub mod money;
pub mod parse;
pub mod status;
pub mod text;

pub mod db;
pub mod http;
