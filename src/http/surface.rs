//! The surfaces: parts of the address space that speak a dialect of their own. What fails on a path has the shape of the
//! surface that the path belongs to, whoever noticed it.

use actix_web::HttpResponse;
use compact_str::CompactString;

use crate::app::SURFACES;
use crate::clock::Timestamp;
use crate::error::Error;

/// What an error's shape may say besides the error.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// What URLs of ours begin with.
    pub public_url: &'a str,
    /// When the request came.
    pub at: Timestamp,
}

/// The request's id, for handlers.
#[derive(Debug, Clone)]
pub struct RequestId(pub CompactString);

/// Why a page that a person gets has failed: beside the answer, for the log.
#[derive(Debug, Clone)]
pub struct Cause(pub String);

/// A part of the address space.
#[derive(Debug)]
pub struct Surface {
    /// What its paths begin with, a slash at the end.
    pub prefix: &'static str,
    /// How it says that something failed; status and headers that every surface has are put beside it.
    pub body: fn(&Error, Told<'_>) -> HttpResponse,
    /// The header in which a key may come, besides `Authorization: Bearer`.
    pub key_header: &'static str,
    /// The header that must name the key's account by its id, if there is one.
    pub account_header: Option<&'static str>,
    /// How one signs in, as the OpenAPI document says it: one of these, and of each all.
    pub schemes: &'static [&'static [&'static str]],
    /// Whether HEAD is GET without the body there, as HTTP has it.
    pub has_head: bool,
}

/// The surface that `path` belongs to; none, if it is ours. The path is as the router has read it
/// (`match_info().as_str()`): what it decodes leads to the same place, so it has to be the same here.
pub fn of(path: &str) -> Option<&'static Surface> {
    let mut surfaces = SURFACES.iter();
    surfaces.find(|surface| {
        let rest = path.strip_prefix(surface.prefix.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
