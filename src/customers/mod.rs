//! Customers: people the company knows. They may bring others, and be brought.
//!
//! `create`, `edit`: the company says who they are. `meet`: people signed up in the customer program, who become customers
//! if they are not. What a customer needs to bring others is in `invitations`, who brought whom in `introductions`.

pub mod create;
pub mod edit;
pub mod meet;
pub mod model;
pub mod queries;
pub mod routes;
pub mod view;
