//! Payouts: money leaving, for one ambassador in one currency.
//!
//! `collect`: what is available is put into payouts, ambassador by ambassador. `settle`: a payout arrived, failed or
//! was cancelled. `schedule`: when a program's next collection is due. `export`: payouts as a bank wants them.

pub mod collect;
pub mod collection_queries;
pub mod collection_routes;
pub mod collection_view;
pub mod csv_routes;
pub mod export;
pub mod history_routes;
pub mod model;
pub mod queries;
pub mod routes;
pub mod schedule;
pub mod settle;
pub mod view;
