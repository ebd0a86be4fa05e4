//! Accounts: the tenants. Every other row belongs to one, and every query starts from one.

pub mod edit;
pub mod model;
pub mod open;
pub mod queries;
