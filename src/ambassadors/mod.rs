//! Ambassadors: who promotes. "User" in paths and "student" in field names on the wire.
//!
//! `enrol` makes one in a program, `edit` changes what is known about the person.

pub mod edit;
pub mod enrol;
pub mod model;
pub mod queries;
pub mod routes;
pub mod view;
