//! Impressions: scans.
//!
//! `scan`: phones are held up to posters; `hanging` is a poster as they need it. `record`: a scan that was seen elsewhere is
//! taken in. `journal` keeps scans while the database takes none, `replay` stores them when it does. `file`: scans are put
//! under their poster, ambassador and program. `forget`: old ones lose what is personal. A scan changes nothing but the list
//! of scans and the counts of its day (`stats`); it is an event if the settings say so.

pub mod file;
pub mod filed_queries;
pub mod forget;
pub mod hanging;
pub mod journal;
pub mod model;
pub mod queries;
pub mod record;
pub mod replay;
pub mod routes;
pub mod scan;
pub mod scan_page;
pub mod scan_routes;
pub mod view;
