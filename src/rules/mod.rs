//! Rules: what a program pays for a conversion.
//!
//! `publish` makes a rule the program's current one, as a new version; no version ever changes. `commission` applies a
//! rule to a sale, without a database; `preview` does that with sales that were, and writes nothing.
//! `read` knows a rule's shape and what is wrong with everything else.

pub mod background;
pub mod commission;
pub mod history;
pub mod model;
mod parts;
pub mod preview;
pub mod preview_routes;
pub mod publish;
pub mod queries;
pub mod read;
pub mod reward;
pub mod room;
pub mod routes;
