//! Reads a JSON body into a struct that `fields!` declared: right type, right size, in time, one object.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;

use crate::error::Error;
use crate::http::fields::{Fields, FromFields};
use crate::http::json;

/// The largest body, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const LONGEST_READ: Duration = Duration::from_secs(15);

/// A JSON body, checked. A handler that must look something up before it may complain takes
/// `Result<Body<T>, Error>` and calls [`for_existing`].
pub struct Body<T>(pub T);

impl<T: FromFields + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let acceptable = is_json(request);
        let bytes = read_all(request, payload);
        Box::pin(async move {
            if !acceptable {
                return Err(Error::UnsupportedMediaType);
            }
            let bytes = bytes.await?;
            let mut fields = Fields::new(json::object(&bytes).map_err(Error::Malformed)?);
            let read = T::from_fields(&mut fields);
            fields.finish(read).map(Body)
        })
    }
}

/// The body of an update. 404 comes before 400: what is wrong with a body is only said once `exists` has
/// found the thing the body is for.
pub async fn for_existing<T, R>(
    body: Result<Body<T>, Error>,
    exists: impl Future<Output = Result<R, Error>>,
) -> Result<T, Error> {
    match body {
        Ok(Body(body)) => Ok(body),
        Err(complaint) => {
            exists.await?;
            Err(complaint)
        }
    }
}

/// The bytes of a body, unless there are too many of them or they are too slow.
pub fn read_all(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, Error>> + use<> {
    let announced =
        header(request, CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
    let payload = payload.take();
    async move {
        if announced.is_some_and(|length| length > MAX_BYTES) {
            return Err(Error::TooLarge(MAX_BYTES));
        }
        tokio::time::timeout(LONGEST_READ, read(payload))
            .await
            .map_err(|_| Error::RequestTimeout)?
    }
}

async fn read(payload: Payload) -> Result<Bytes, Error> {
    let mut payload = payload;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::Malformed("The request body broke off".to_owned()))?;
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(Error::TooLarge(MAX_BYTES));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// `application/json`, with parameters or not, and not compressed.
fn is_json(request: &HttpRequest) -> bool {
    let kind = header(request, CONTENT_TYPE.as_str()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    is_plain(request) && kind.eq_ignore_ascii_case("application/json")
}

/// Whether the body is not compressed.
pub fn is_plain(request: &HttpRequest) -> bool {
    header(request, CONTENT_ENCODING.as_str())
        .is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity"))
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
