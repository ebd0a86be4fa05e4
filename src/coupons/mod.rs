//! Coupons: the code that a customer gets who was brought by another.
//!
//! `issue`: an introduction was made in a program that gives codes. `redeem`: something was bought with one, once. A code
//! that was used stays used, also if the order is refunded.

pub mod issue;
pub mod model;
pub mod queries;
pub mod redeem;
pub mod routes;
pub mod view;
