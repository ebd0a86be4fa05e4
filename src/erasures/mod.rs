//! Erasures: what is personal about somebody is removed wherever it stands, and what was counted and booked stays.
//!
//! `erase` is the verb, `forget` what time does to the events of scans, `blank` what takes the place of what was there, `queries` every statement. Ids, amounts, dates and
//! statuses stay, so everything goes on adding up; nothing stays that leads back to the person, not even a hash.

pub mod blank;
pub mod erase;
pub mod forget;
mod queries;
pub mod routes;
