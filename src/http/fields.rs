//! Reads the fields of a body or a query one by one, in the documents' order, and collects *every*
//! complaint instead of stopping at the first.
//!
//! `fields!` declares a struct and how it is read in one place, so what a route accepts, what the OpenAPI
//! document says and what the handler gets cannot differ:
//!
//! ```text
//! fields! {
//!     #[derive(ToSchema)]
//!     pub struct CreateReferral {
//!         pub impression_id: ImpressionId,           // required
//!         pub profile_picture: Option<WebUrl>,       // absent and null are the same
//!     }
//! }
//! ```

use std::borrow::Cow;

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::{Error, FieldError};
use crate::metadata::{Metadata, MetadataChange, MetadataUpdate};
use crate::money::{BasisPoints, Cents};
use crate::parse::{Complaint, Parse};

/// The fields as they came, and what was wrong with them so far.
pub struct Fields {
    found: Map<String, Value>,
    repeated: Vec<String>,
    complaints: Vec<FieldError>,
}

impl Fields {
    /// The fields of a JSON object; those nobody asks for are ignored.
    pub fn new(found: Map<String, Value>) -> Self {
        Self::of_query(found, Vec::new())
    }

    /// The fields of a query string, in which some may stand more than once.
    pub fn of_query(found: Map<String, Value>, repeated: Vec<String>) -> Self {
        Self {
            found,
            repeated,
            complaints: Vec::new(),
        }
    }

    /// The field under the first of its `names` that is there. `None`: a complaint was noted.
    pub fn take<T: Field>(&mut self, names: &[&str]) -> Option<T> {
        let value = names.iter().find_map(|name| self.found.shift_remove(*name));
        let read = match names
            .iter()
            .any(|name| self.repeated.iter().any(|other| other == name))
        {
            true => Err(Complaint::new("repeated", "must be given only once")),
            false => T::read(value),
        };
        match read {
            Ok(field) => Some(field),
            Err(complaint) => {
                self.complaints.push(FieldError::new(names[0], complaint));
                None
            }
        }
    }

    /// The field under `name`, which has fields of its own and names them in its complaints.
    pub fn take_part<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Option<Value>) -> Result<T, Vec<FieldError>>,
    ) -> Option<T> {
        match read(self.found.shift_remove(name)) {
            Ok(part) => Some(part),
            Err(complaints) => {
                self.complaints.extend(complaints);
                None
            }
        }
    }

    /// What was read, unless there was a complaint.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Error> {
        match read {
            Some(read) if self.complaints.is_empty() => Ok(read),
            _ => Err(Error::Invalid(self.complaints)),
        }
    }
}

/// A struct that `fields!` declared.
pub trait FromFields: Sized {
    /// Reads every field; `None` if any of them was refused.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// A field that may be absent.
pub trait Field: Sized {
    /// Reads the field.
    fn read(value: Option<Value>) -> Result<Self, Complaint>;
}

/// A field's value when it is there and not null.
pub trait FieldValue: Sized {
    /// Reads the value.
    fn from_value(value: Value) -> Result<Self, Complaint>;
}

/// Required: absent and null are both missing.
impl<T: FieldValue> Field for T {
    fn read(value: Option<Value>) -> Result<Self, Complaint> {
        match value {
            None | Some(Value::Null) => Err(Complaint::Missing),
            Some(value) => T::from_value(value),
        }
    }
}

/// Optional: null is the same as absent, as the published samples send both.
impl<T: FieldValue> Field for Option<T> {
    fn read(value: Option<Value>) -> Result<Self, Complaint> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::from_value(value).map(Some),
        }
    }
}

/// Optional in an update, where null empties the field: `None` absent, `Some(None)` null.
impl<T: FieldValue> Field for Option<Option<T>> {
    fn read(value: Option<Value>) -> Result<Self, Complaint> {
        match value {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(value) => T::from_value(value).map(|value| Some(Some(value))),
        }
    }
}

/// Whatever is text.
impl<T: Parse> FieldValue for T {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        match value {
            Value::String(text) => T::parse(&text),
            _ => Err(Complaint::wrong_type("a string")),
        }
    }
}

/// A metadata object as it was sent; whether it can be kept is known once it is merged.
#[derive(Debug, Clone)]
pub struct SentMetadata(pub Map<String, Value>);

impl SentMetadata {
    /// The metadata of something new.
    pub fn kept(sent: Option<Self>) -> Result<Metadata, Error> {
        let object = sent.map(|sent| sent.0).unwrap_or_default();
        Metadata::new(&object).map_err(|complaint| Error::field("metadata", complaint))
    }

    /// The metadata of an update.
    pub fn change(sent: Option<Self>, how: MetadataUpdate) -> Option<MetadataChange> {
        sent.map(|sent| MetadataChange { sent: sent.0, how })
    }
}

impl FieldValue for SentMetadata {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        match value {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(Complaint::wrong_type("an object")),
        }
    }
}

impl PartialSchema for SentMetadata {
    fn schema() -> RefOr<Schema> {
        Metadata::schema()
    }
}

impl ToSchema for SentMetadata {
    fn name() -> Cow<'static, str> {
        Metadata::name()
    }
}

/// What somebody earns: above zero.
impl FieldValue for Cents {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        Self::positive(value.as_f64())
    }
}

/// A threshold, which may be zero.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = i64, minimum = 0, maximum = 99_999_999_999_i64, example = 5000)]
pub struct Threshold(pub Cents);

impl FieldValue for Threshold {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        Cents::not_negative(value.as_f64()).map(Self)
    }
}

/// How many days something is held.
#[derive(Debug, Clone, Copy)]
pub struct HoldDays(pub i64);

impl FieldValue for HoldDays {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        days(&value, 0).map(Self)
    }
}

/// How many days a coupon is good for.
#[derive(Debug, Clone, Copy)]
pub struct CouponDays(pub i64);

impl FieldValue for CouponDays {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        days(&value, 1).map(Self)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be at most 3,650 first"
)]
fn days(value: &Value, least: u8) -> Result<i64, Complaint> {
    match value.as_f64() {
        Some(days) if days.fract() == 0.0 && (f64::from(least)..=3650.0).contains(&days) => {
            Ok(days as i64)
        }
        _ => Err(Complaint::new(
            "invalid_days",
            format!("must be a whole number of days, {least} to 3650"),
        )),
    }
}

impl FieldValue for bool {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        value
            .as_bool()
            .ok_or_else(|| Complaint::wrong_type("true or false"))
    }
}

impl FieldValue for BasisPoints {
    fn from_value(value: Value) -> Result<Self, Complaint> {
        Self::from_percent(value.as_f64())
    }
}

/// Declares a struct together with how its fields are read. `= "name" | "other"` gives a field other names
/// on the wire than its own.
macro_rules! fields {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident $(= $($wire:literal)|+)? : $type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type),*
        }

        impl $crate::http::fields::FromFields for $name {
            fn from_fields(fields: &mut $crate::http::fields::Fields) -> Option<Self> {
                $(let $field = fields.take::<$type>($crate::http::fields::names!($field $($($wire)+)?));)*
                Some(Self { $($field: $field?),* })
            }
        }
    };
}

macro_rules! names {
    ($field:ident) => {
        &[stringify!($field)]
    };
    ($field:ident $($wire:literal)+) => {
        &[$($wire),+]
    };
}

pub(crate) use fields;
pub(crate) use names;
