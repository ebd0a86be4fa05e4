//! Who is calling. `api_keys::authenticate` finds it out; handlers take it as an argument, and every query
//! starts from it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId};

/// The account a request acts for, and the key it came with.
#[derive(Debug, Clone)]
pub struct Account {
    /// The tenant.
    pub id: AccountId,
    /// The key, for the history of who did what.
    pub key: ApiKeyId,
}

impl FromRequest for Account {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            request
                .extensions()
                .get::<Self>()
                .cloned()
                .ok_or(Error::Unauthorized),
        )
    }
}
