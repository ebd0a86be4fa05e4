//! Events: what happened, in order. The one source of the feed and of the webhooks.
//!
//! `emit`: an event is written in the transaction of what it reports, or neither is. `number`: on PostgreSQL, where
//! transactions commit in any order, events get their places in the order after they are there.

pub mod emit;
pub mod model;
pub mod number;
pub mod queries;
pub mod routes;
pub mod view;
