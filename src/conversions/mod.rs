//! Conversions: what referred people bought, as the company reports it.
//!
//! `record`: a purchase happened; its commission is computed by the program's rules and earned in the same
//! transaction.

mod buyer;
pub mod model;
pub mod queries;
pub mod record;
pub mod routes;
pub mod view;
