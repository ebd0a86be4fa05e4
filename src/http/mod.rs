//! Everything about HTTP that is not about one noun.

pub mod account;
pub mod admission;
pub mod answer;
pub mod body;
pub mod browsers;
pub mod connections;
pub mod docs_page;
pub mod edge;
pub mod fields;
pub mod form;
pub mod idempotency;
pub mod json;
pub mod metrics;
pub mod openapi;
pub mod operations;
pub mod path;
pub mod peer;
pub mod query;
pub mod rate_limit;
pub mod remembered;
pub mod request_log;
pub mod seat;
pub mod server;
pub mod share;
pub mod strangers;
pub mod surface;
mod turnstile;
