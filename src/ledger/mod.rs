//! The ledger: who owes what to whom, as transfers that are only ever added.
//!
//! Every ambassador has five accounts per currency: `pending` (earned and held), `available` (can be paid out),
//! `in_payout` (on its way), `paid` (has arrived) and `owed_back` (was paid and is claimed back). The sixth side is the
//! program's `expense`. A transfer takes an amount from one and gives it to another; nothing else moves money.
//!
//! `books`: one ambassador's accounts in one currency, held for the length of a transaction. `sums`: what transfers add
//! up to. `statement`: an account's movements from one moment to another.

pub mod balance_routes;
pub mod books;
pub mod model;
pub mod queries;
pub mod routes;
pub mod statement;
pub mod statement_routes;
pub mod sums;
