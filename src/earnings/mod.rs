//! Earnings: commissions. The company computes the amount and reports it, or the program's rules do, from conversions.
//!
//! `accrue`, `bonus`, `reward`: an ambassador earned something. `settle`: a payment moves on by hand, or what is noted about it
//! changes. `release`: a hold ends. `reverse`: what was earned is taken back, or given again. `set_off`: debts come
//! first. `purse`: how all of them move money, an earning and the ledger together. `explain`: why an earning is what it
//! is.

pub mod accrue;
pub mod bonus;
pub mod earned;
pub mod explain;
pub mod explain_routes;
pub mod history_routes;
pub mod model;
pub mod purse;
pub mod queries;
pub mod release;
pub mod reverse;
pub mod reward;
pub mod routes;
pub mod set_off;
pub mod settle;
pub mod view;
