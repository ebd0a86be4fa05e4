//! API keys: made once, shown once, kept as a hash.
//!
//! A key belongs to one account. A secret one opens everything of it, a restricted one what its `scope`s say, and only
//! the program or the ambassador that it is bound to; a publishable one opens what is public. `issue` makes one, `rotate`
//! puts another in its place, `revoke` ends it, `authenticate` finds out whose request this is and whether it may be
//! made.

pub mod authenticate;
pub mod issue;
pub mod model;
pub mod queries;
pub mod revoke;
pub mod rotate;
pub mod routes;
pub mod scope;
pub mod view;
