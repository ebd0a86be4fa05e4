//! Refunds: what was given back of an order.
//!
//! `record`: a refund was reported. `apply`: it takes its part of the commission back, now or when its order comes.

pub mod apply;
pub mod model;
pub mod queries;
pub mod record;
pub mod routes;
pub mod view;
