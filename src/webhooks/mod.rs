//! Webhooks: an account's events, sent to where it wants them as they happen, strictly in their order.
//!
//! An endpoint remembers how far it has come (`reached`). `dispatch` finds endpoints that have events before them and
//! takes a lease on each; `deliver` then sends one event after the other, and `book` writes down what became of them.
//! `lanes` says how many at a
//! time; `send` is one attempt, `schedule` says when the next is, `guard` where no attempt may go. An attempt whose outcome
//! could not be written is made again: at least once, always under the event's own id.

pub mod action_routes;
pub mod authorities;
pub mod book;
pub mod create;
pub mod deliver;
pub mod delivery_queries;
pub mod delivery_routes;
pub mod delivery_view;
pub mod dispatch;
pub mod edit;
pub mod forget_events;
pub mod guard;
pub mod lag_queries;
pub mod lanes;
pub mod message;
pub mod model;
pub mod queries;
pub mod replay;
pub mod reseal;
pub mod retain;
pub mod retry;
pub mod rotate;
pub mod routes;
pub mod schedule;
pub mod secret;
pub mod send;
pub mod view;
