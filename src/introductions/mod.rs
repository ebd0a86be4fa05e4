//! Introductions: one customer brought another.
//!
//! `introduce`: a signup in the customer program is one. `judge`: something was bought, so the conditions of the reward are
//! met or not. It only goes forwards: pending, qualified, rewarded.

pub mod introduce;
pub mod judge;
pub mod model;
pub mod queries;
pub mod routes;
pub mod view;
