//! Referrals: signups.
//!
//! `record`: a signup happened (the webhook may say so more than once). `decide`: it converted, was
//! verified, was rejected, or what is known about the person changed. Program and ambassador come from the
//! impression that led to it.

pub mod decide;
pub mod history_routes;
pub mod model;
pub mod people_queries;
pub mod queries;
pub mod record;
pub mod routes;
pub mod view;
