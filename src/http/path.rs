//! The id in a path. Text that no id looks like names nothing, so it is the same 404 as an unknown id.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::error::Error;
use crate::ids::Id;

/// `{id}` of the route.
pub struct PathId<T>(pub T);

impl<T: Id> FromRequest for PathId<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(T::from_outside);
        ready(id.map(Self).ok_or(Error::NotFound(T::NOUN)))
    }
}
