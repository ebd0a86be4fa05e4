//! Programs: what is promised, and where a scan leads.
//!
//! `launch` makes one, `edit` changes it. A paused program takes no new ambassadors and posters; what
//! already hangs goes on working, because paper cannot be paused and a signup must not be lost.

//!
//! One program of an account may be for its customers (`audience`): they bring each other instead of hanging posters.

pub mod bodies;
pub mod edit;
pub mod launch;
pub mod model;
pub mod public_routes;
pub mod queries;
pub mod routes;
pub mod view;
