//! Impressions: scans.
//!
//! `scan` is what a phone does at a poster; `record` takes in a scan that was seen elsewhere; `forget`
//! removes what is personal about old ones. A scan never changes anything but the list of scans.

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
