//! The errors: one table of what can go wrong, and how each looks to the caller.
//!
//! A message is written for the person reading the answer. Causes go to the log and never further.

mod database;

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::parse::Complaint;

/// One field that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name on the wire.
    #[schema(example = "email")]
    pub field: String,
    /// Stable and snake_case, for programs.
    #[schema(example = "invalid_email")]
    pub code: &'static str,
    /// A sentence, for people.
    #[schema(example = "email must be a valid e-mail address")]
    pub message: String,
}

impl FieldError {
    /// `complaint` about `field`, as a sentence.
    pub fn new(field: &str, complaint: Complaint) -> Self {
        Self {
            field: field.to_owned(),
            code: complaint.code(),
            message: complaint.into_sentence(field),
        }
    }
}

/// Everything a request can fail with.
#[derive(Debug)]
pub enum Error {
    /// Fields that are missing or wrong, in the documents' order. Never empty.
    Invalid(Vec<FieldError>),
    /// A request that could not be read at all: broken JSON, not an object.
    Malformed(String),
    /// No key, or one that is not valid (any more).
    Unauthorized,
    /// The key is valid and may not do this; a sentence that says why.
    Forbidden(String),
    /// Pages of this origin may not ask for this.
    OriginNotAllowed,
    /// Nothing of this noun has the id in the path, as far as this account can see.
    NotFound(&'static str),
    /// Nothing lives at this path.
    NoSuchPath,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// What is stored forbids the change.
    Conflict {
        /// Stable and snake_case.
        code: &'static str,
        /// Says what is in the way.
        message: String,
    },
    /// The body has more bytes than this.
    TooLarge(usize),
    /// The body is not JSON by its own account.
    UnsupportedMediaType,
    /// Over the rate limit; more after this many seconds.
    TooManyRequests(u64),
    /// The database cannot be reached or has too much to do.
    Unavailable(String),
    /// A defect, or a database that misbehaved.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One field is wrong.
    pub fn field(field: &str, complaint: Complaint) -> Self {
        Self::Invalid(vec![FieldError::new(field, complaint)])
    }

    /// A period, where one is asked for, must not end before it begins.
    ///
    /// # Errors
    /// It does: `to` is refused.
    pub fn unless_in_order<T: PartialOrd>(from: Option<T>, to: Option<T>) -> Result<(), Self> {
        match from.zip(to).is_some_and(|(from, to)| to < from) {
            true => Err(Self::field(
                "to",
                Complaint::new("invalid_period", "must not be before from"),
            )),
            false => Ok(()),
        }
    }

    /// An id in a body or a query names nothing the account can see.
    pub fn no_such(field: &str, noun: &'static str) -> Self {
        Self::field(field, Complaint::NoSuch(noun))
    }

    /// A key that is bound to a part of its account, where only the whole will do.
    pub fn out_of_bounds() -> Self {
        Self::Forbidden(
            "This key is bound to a part of the account and may not do this; a key to all of it may"
                .to_owned(),
        )
    }

    /// A defect described by a sentence for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::OriginNotAllowed => StatusCode::FORBIDDEN,
            Self::NotFound(_) | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Stable and snake_case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_request",
            Self::Malformed(_) => "malformed_body",
            Self::Unauthorized => "invalid_api_key",
            Self::Forbidden(_) => "insufficient_scope",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::NotFound(_) => "not_found",
            Self::NoSuchPath => "no_such_path",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::Conflict { code, .. } => code,
            Self::TooLarge(_) => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooManyRequests(_) => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal_error",
        }
    }

    /// The fields that were refused, if that is what went wrong.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(fields) => fields,
            _ => &[],
        }
    }

    /// What whoever runs the server should know: the cause, where the caller is told none.
    pub fn cause(&self) -> String {
        match self {
            Self::Unavailable(cause) => cause.clone(),
            Self::Internal(cause) => cause.to_string(),
            told => told.to_string(),
        }
    }

    /// How many seconds a caller should wait before it tries again, where waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests(seconds) => Some(*seconds),
            Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }
}

/// The sentence for the caller.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(fields) => {
                // A field that is missing altogether is said before one that is merely wrong.
                let missing = fields.iter().find(|field| field.code == "missing");
                let told = missing.or(fields.first());
                f.write_str(told.map_or("Invalid request", |field| &field.message))
            }
            Self::Malformed(message) | Self::Conflict { message, .. } => f.write_str(message),
            Self::Forbidden(why) => f.write_str(why),
            Self::OriginNotAllowed => f.write_str("Pages of this origin may not ask for this"),
            Self::Unauthorized => f.write_str("Invalid or missing API key"),
            Self::NotFound(noun) => write!(f, "{noun} not found"),
            Self::NoSuchPath => {
                f.write_str("Nothing lives at this path; /docs lists what there is")
            }
            Self::MethodNotAllowed => f.write_str(
                "This path does not offer that method; the Allow header lists the ones it does",
            ),
            Self::RequestTimeout => f.write_str("The request body did not arrive in time"),
            Self::TooLarge(limit) => write!(f, "The request body is larger than {limit} bytes"),
            Self::UnsupportedMediaType => {
                f.write_str("The request body must be sent as Content-Type: application/json, and not compressed")
            }
            Self::TooManyRequests(_) => {
                f.write_str("Too many requests; Retry-After says when there is room again")
            }
            Self::Unavailable(_) => {
                f.write_str("The service cannot take this request right now; please try again")
            }
            Self::Internal(_) => {
                f.write_str("Something went wrong on our side; the request_id finds it in the log")
            }
        }
    }
}

impl std::error::Error for Error {}

/// A status in the words that the published documents use, or HTTP's own.
pub fn words(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        _ => status.canonical_reason().unwrap_or("Error"),
    }
}

/// Only the status: `http::edge` writes the body, because only it knows the request's id and surface.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status())
    }
}
