//! Posters: what hangs on the wall. Each sheet has a code of its own, printed as a QR code and short enough
//! to be typed.
//!
//! `hang` makes one, `edit` changes it (retiring is a change of status), `qr` draws its code. A poster is
//! never deleted and its code never given to another: paper cannot be recalled.

pub mod edit;
pub mod hang;
pub mod image_routes;
pub mod model;
pub mod qr;
pub mod queries;
pub mod routes;
pub mod view;
