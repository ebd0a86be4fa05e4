//! Bodies and queries as other APIs have them: JSON or a form, and in forms and queries arrays as `name[]=a&name[]=b`
//! or `name[0]=a`, and parts as `name[part]=a`, which is the same as `name.part=a`.

use std::collections::BTreeMap;
use std::future::{Future, Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};
use serde_json::{Map, Value};

use crate::error::{Error, FieldError};
use crate::http::body;
use crate::http::fields::{Fields, FromFields};
use crate::http::json;
use crate::idempotency::fingerprint;

/// A body that was sent as JSON or as a form, checked, and what it has to be repeated with. What is wrong with its fields
/// is for the handler to say: it may be a repetition.
pub struct Sent<T> {
    /// What was sent, or everything that is wrong with it.
    pub body: Result<T, Vec<FieldError>>,
    /// The same for the same parameters, in whatever order and form they come.
    pub fingerprint: String,
}

impl<T: FromFields + 'static> FromRequest for Sent<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = Kind::of(request);
        let bytes = body::read_all(request, payload);
        Box::pin(async move {
            let kind = kind.ok_or(Error::UnsupportedMediaType)?;
            let bytes = bytes.await?;
            let (found, repeated) = match kind {
                Kind::Form => parameters(&bytes),
                Kind::Json if bytes.is_empty() => (Map::new(), Vec::new()),
                Kind::Json => (json::object(&bytes).map_err(Error::Malformed)?, Vec::new()),
            };
            let sorted: BTreeMap<&String, &Value> = found.iter().collect();
            let text = serde_json::to_string(&sorted).map_err(Error::internal)?;
            let mut fields = Fields::of_query(found, repeated);
            let read = T::from_fields(&mut fields);
            let body = match fields.finish(read) {
                Ok(body) => Ok(body),
                Err(Error::Invalid(wrong)) => Err(wrong),
                Err(error) => return Err(error),
            };
            Ok(Self {
                body,
                fingerprint: fingerprint(&[&text]),
            })
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Json,
    Form,
}

impl Kind {
    /// What the request says that its body is; without a word and without a body it is nothing, which JSON can say.
    fn of(request: &HttpRequest) -> Option<Self> {
        let Some(kind) = request.headers().get(CONTENT_TYPE) else {
            return Some(Self::Json);
        };
        let kind = kind.to_str().ok()?.split(';').next()?.trim();
        if !body::is_plain(request) {
            None
        } else if kind.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Self::Form)
        } else {
            None
        }
    }
}

/// A query string with arrays and parts.
pub struct Asked<F>(pub F);

impl<F: FromFields + 'static> FromRequest for Asked<F> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (found, repeated) = parameters(request.query_string().as_bytes());
        let mut fields = Fields::of_query(found, repeated);
        let read = F::from_fields(&mut fields);
        ready(fields.finish(read).map(Self))
    }
}

/// The parameters, and the names of those that stand there twice though they are no arrays.
fn parameters(text: &[u8]) -> (Map<String, Value>, Vec<String>) {
    let mut found = Map::new();
    let mut repeated = Vec::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        let value = Value::String(value.into_owned());
        let (name, is_item) = plain(&name);
        match (found.get_mut(&name), is_item) {
            (None, false) => drop(found.insert(name, value)),
            (None, true) => drop(found.insert(name, Value::Array(vec![value]))),
            (Some(Value::Array(items)), _) => items.push(value),
            (Some(one), true) => *one = Value::Array(vec![one.take(), value]),
            (Some(_), false) => repeated.push(name),
        }
    }
    (found, repeated)
}

/// A parameter's name without brackets, and whether it is an item of an array.
fn plain(name: &str) -> (String, bool) {
    let Some((outer, inner)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) else {
        return (name.to_owned(), false);
    };
    match inner.bytes().all(|byte| byte.is_ascii_digit()) {
        true => (outer.to_owned(), true),
        false => (format!("{outer}.{inner}"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_make_arrays_and_parts() {
        for (text, object, repeated) in [
            ("a=1&b=x%20y", r#"{"a":"1","b":"x y"}"#, 0),
            ("e[]=a&e[]=b", r#"{"e":["a","b"]}"#, 0),
            ("e%5B0%5D=a&e%5B1%5D=b", r#"{"e":["a","b"]}"#, 0),
            ("e=a&e[]=b", r#"{"e":["a","b"]}"#, 0),
            ("e=a&e=b", r#"{"e":"a"}"#, 1),
            (
                "created[gte]=5&created.lt=6",
                r#"{"created.gte":"5","created.lt":"6"}"#,
                0,
            ),
            ("", "{}", 0),
        ] {
            let (found, twice) = parameters(text.as_bytes());
            assert_eq!(Value::Object(found).to_string(), object);
            assert_eq!(twice.len(), repeated, "{text}");
        }
    }
}
