//! The audit: everything that is kept twice is added up again and compared. It reads, and nothing else.
//!
//! `verify` runs all checks. Each check is one function, which goes through its rows in steps: `balances`, `portions`,
//! `payments`, `orders`, `origins`, `rewards`, `histories`, `counts`, `pointers`, `texts`, `files`. `report`: what they
//! found.

mod balances;
mod counts;
mod difference_queries;
mod files;
mod histories;
mod orders;
mod origin_queries;
mod origins;
mod payments;
mod pointers;
mod portions;
mod queries;
pub mod report;
mod rewards;
mod steps;
mod texts;
pub mod verify;
mod whole_queries;
