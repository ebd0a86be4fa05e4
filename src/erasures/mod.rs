//! Erasures: what is personal about somebody is removed wherever it stands, and what was counted and booked stays.
//!
//! `person` is whom it is about and what belongs to them, `erase` the verb, `everywhere` all of it in steps that nobody
//! waits for, `again` what a restored backup needs, `forget` what time does to the events of scans, `blank` what takes
//! the place of what was there, `queries` every statement, `event_queries` those about events. Ids, amounts, dates and statuses stay, so everything goes on
//! adding up; nothing stays that leads back to the person, not even a hash.

pub mod again;
pub mod blank;
pub mod erase;
pub mod event_queries;
pub mod everywhere;
pub mod forget;
pub mod person;
mod queries;
pub mod routes;
