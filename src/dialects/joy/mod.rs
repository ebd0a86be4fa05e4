//! Joy's referrals: `/rest_api/v2/referrals`. A customer's link, who brought a customer, and counts of what came of it.

use crate::http::surface::Surface;

pub mod errors;
pub mod routes;
pub mod views;

/// Where it begins, and how it fails.
pub const SURFACE: Surface = Surface {
    prefix: "/rest_api/v2/",
    body: errors::response,
    key_header: "x-joy-loyalty-secret-key",
    account_header: Some("x-joy-loyalty-app-key"),
    schemes: &[&["joyAppKey", "joySecretKey"]],
    has_head: true,
};
