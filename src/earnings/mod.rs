//! Earnings: commissions. The caller computes the amount; handbill keeps it, moves it towards being paid,
//! and never rounds it.
//!
//! `accrue`: an ambassador earned something through a referral. `settle`: the payment moves on, or what is
//! noted about it changes.

pub mod accrue;
pub mod history_routes;
pub mod model;
pub mod queries;
pub mod routes;
pub mod settle;
