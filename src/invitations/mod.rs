//! Invitations: what a customer needs to bring others, and the others that are brought without a link.
//!
//! `invite`: a customer gets a link, which is a poster that is never printed, and the ambassador record behind it. `refer`:
//! the company says that this customer brought that one. `keep_up`: the ambassador is called as the customer is.

pub mod invite;
pub mod keep_up;
pub mod model;
pub mod queries;
pub mod refer;
pub mod routes;
