//! Other published APIs over the same verbs and queries: thin folders of routes, views and errors, with no rules of their
//! own. `http::surface` is the table of where each begins; `once` repeats an answer where a dialect promises that.

pub mod joy;
pub mod once;
pub mod vinr;
