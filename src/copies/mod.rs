//! Copies of a database, or of one account in it, row by row as they are: ids, keys, moments and money stay what they
//! are. No business happens here.
//!
//! `backup` makes a file of everything while servers go on working, `restore` puts one in place. `relocate` moves
//! everything into another database, and goes on where it was interrupted. `export` writes an account down as lines of
//! JSON, `import` reads them into another database, all or nothing. `everything` is what they share: all tables, in order;
//! `sums`: whether both sides have the same rows; `sealed`: which keys open what is encrypted.

pub mod backup;
pub mod before_upgrade;
mod everything;
pub mod export;
pub mod import;
mod lines;
pub mod relocate;
pub mod restore;
mod sealed;
pub mod sums;

use crate::error::Error;

/// A copy that is not made, and why.
fn refused(sentence: impl Into<String>) -> Error {
    Error::Conflict {
        code: "not_copied",
        message: sentence.into(),
    }
}
