//! Stats: how many scans and signups, and what became of them, by poster and day.
//!
//! Counted by `tally` in the transaction of what is counted, so the numbers are right at every committed moment
//! and reading them costs a few rows.

pub mod model;
pub mod public_routes;
pub mod queries;
pub mod routes;
pub mod tally;
