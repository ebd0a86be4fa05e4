//! API keys: made once, shown once, kept as a hash.
//!
//! A key belongs to one account and opens everything of it. `issue` makes one, `revoke` ends it,
//! `authenticate` finds out whose request this is.

pub mod authenticate;
pub mod issue;
pub mod model;
pub mod queries;
pub mod revoke;
