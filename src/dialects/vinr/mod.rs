//! VINR's referrals: `/v1/referrals`, and what belongs to them. One customer brings another: in our words, an introduction.

use crate::error::{Error, FieldError};
use crate::http::surface::Surface;
use crate::parse::Complaint;

pub mod customer_routes;
pub mod endpoint_routes;
pub mod endpoint_views;
pub mod endpoints;
pub mod errors;
pub mod event_routes;
pub mod expand;
pub mod message;
pub mod page;
pub mod referral_routes;
pub mod views;

/// Where it begins, and how it fails.
pub const SURFACE: Surface = Surface {
    prefix: "/v1/",
    body: errors::response,
    key_header: "x-api-key",
    account_header: None,
    schemes: &[&["apiKey"], &["bearerAuth"]],
    has_head: false,
};

/// What is wrong with `expand`.
fn in_expand(complaint: Complaint) -> Vec<FieldError> {
    vec![FieldError::new("expand", complaint)]
}

/// The refusal of a body with these fields in it.
#[expect(clippy::ptr_arg, reason = "it is what a body is, or is not")]
fn invalid(fields: &Vec<FieldError>) -> Error {
    Error::Invalid(fields.clone())
}
