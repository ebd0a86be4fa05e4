//! The caller's own JSON object on a resource: kept as the text it will be answered with, so that both
//! databases give back the same bytes and reading a row parses nothing.

use compact_str::CompactString;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::db::columns::stored_as_text;
use crate::error::Error;
use crate::parse::Complaint;

/// The largest metadata, in bytes of compact JSON.
pub const MAX_BYTES: usize = 16 * 1024;
/// How deep objects and arrays may nest, the metadata object itself included.
pub const MAX_DEPTH: usize = 16;

/// A free JSON object, `{}` when there is none. At most 16 KiB and 16 levels.
#[derive(Debug, Clone, Serialize, AsExpression, FromSqlRow, ToSchema)]
#[diesel(sql_type = Text)]
#[schema(value_type = Object, example = json!({"source": "poster_qr_code", "location": "campus_center"}))]
pub struct Metadata(Box<RawValue>);

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Default for Metadata {
    fn default() -> Self {
        Self::from(&Map::new())
    }
}

impl Metadata {
    /// Keeps `object`, or says what about it cannot be kept.
    pub fn new(object: &Map<String, Value>) -> Result<Self, Complaint> {
        for (key, value) in object {
            without_null(key)?;
            check(value, 2)?;
        }
        let kept = Self::from(object);
        if kept.as_str().len() > MAX_BYTES {
            return Err(Complaint::new(
                "too_long",
                format!("must be at most {MAX_BYTES} bytes of JSON"),
            ));
        }
        Ok(kept)
    }

    /// What we note ourselves: `object` is small, and an object.
    pub fn of(object: &impl Serialize) -> Self {
        let nothing = |_| RawValue::from_string("{}".to_owned()).unwrap_or_default();
        Self(to_raw_value(object).unwrap_or_else(nothing))
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    fn from_stored(text: CompactString) -> Result<Self, Complaint> {
        RawValue::from_string(text.into_string())
            .map(Self)
            .map_err(|_| Complaint::wrong_type("a JSON object"))
    }

    /// The JSON object.
    pub fn object(&self) -> Map<String, Value> {
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }
}

impl From<&Map<String, Value>> for Metadata {
    fn from(object: &Map<String, Value>) -> Self {
        Self::of(object)
    }
}

stored_as_text!(Metadata);

/// What an update does with the metadata it brings. The Vantio documents leave it to "your API
/// configuration", so it is a setting: `HANDBILL_METADATA_UPDATE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataUpdate {
    /// Sent keys overwrite, others stay, `null` removes a key.
    #[default]
    Merge,
    /// The sent object takes the place of the old one.
    Replace,
}

impl MetadataUpdate {
    /// The metadata after the update. A merge can outgrow the limit even if what was sent does not.
    pub fn apply(self, old: &Metadata, sent: &Map<String, Value>) -> Result<Metadata, Complaint> {
        match self {
            Self::Replace => Metadata::new(sent),
            Self::Merge => {
                let mut merged = old.object();
                for (key, value) in sent {
                    match value {
                        // `shift_remove` keeps the order of what stays.
                        Value::Null => drop(merged.shift_remove(key)),
                        _ => drop(merged.insert(key.clone(), value.clone())),
                    }
                }
                Metadata::new(&merged)
            }
        }
    }
}

/// The metadata that an update brings, and what is to be done with it.
#[derive(Debug, Clone)]
pub struct MetadataChange {
    /// As it was sent.
    pub sent: Map<String, Value>,
    /// Merge or replace.
    pub how: MetadataUpdate,
}

impl MetadataChange {
    /// The metadata after `change`, or the old one if nothing was sent.
    pub fn apply(change: Option<&Self>, old: &Metadata) -> Result<Metadata, Error> {
        match change {
            None => Ok(old.clone()),
            Some(change) => change
                .how
                .apply(old, &change.sent)
                .map_err(|complaint| Error::field("metadata", complaint)),
        }
    }
}

/// Refuses what would not come back as it was sent.
fn check(value: &Value, depth: usize) -> Result<(), Complaint> {
    if depth > MAX_DEPTH && (value.is_object() || value.is_array()) {
        return Err(Complaint::new(
            "too_deep",
            format!("must not nest deeper than {MAX_DEPTH} levels"),
        ));
    }
    match value {
        // A whole number past 2^53 that arrived as a float has already lost digits.
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            Some(float) if float.abs() < 9_007_199_254_740_992.0 => Ok(()),
            _ => Err(Complaint::new(
                "number_too_large",
                "must not contain numbers too large to be kept exactly; send them as strings",
            )),
        },
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(object) => object.iter().try_for_each(|(key, item)| {
            without_null(key)?;
            check(item, depth + 1)
        }),
        Value::String(text) => without_null(text),
        _ => Ok(()),
    }
}

fn without_null(text: &str) -> Result<(), Complaint> {
    match text.contains('\0') {
        true => Err(Complaint::null_character()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_merge_overwrites_keeps_and_removes() {
        let old = Metadata::new(&object(&json!({"b": 1, "a": {"x": 1}, "c": 3}))).unwrap();
        let sent = object(&json!({"a": {"y": 2}, "b": null, "d": 4}));
        let merged = MetadataUpdate::Merge.apply(&old, &sent).unwrap();
        assert_eq!(merged.as_str(), r#"{"a":{"y":2},"c":3,"d":4}"#);
        let replaced = MetadataUpdate::Replace.apply(&old, &sent).unwrap();
        assert_eq!(replaced.as_str(), r#"{"a":{"y":2},"b":null,"d":4}"#);
    }

    #[test]
    fn numbers_that_lose_digits_are_refused() {
        let fine = json!({"a": 9_007_199_254_740_993_u64, "b": u64::MAX, "c": -0.5});
        assert!(Metadata::new(&object(&fine)).is_ok());
        let big: Value = serde_json::from_str(r#"{"a":123456789012345678901234567890}"#).unwrap();
        assert_eq!(
            Metadata::new(&object(&big)).unwrap_err().code(),
            "number_too_large"
        );
    }

    #[test]
    fn deep_and_large_objects_are_refused() {
        let mut deep = json!(1);
        for _ in 0..MAX_DEPTH {
            deep = json!({ "a": deep });
        }
        assert!(Metadata::new(&object(&deep)).is_ok());
        assert_eq!(
            Metadata::new(&object(&json!({ "a": deep })))
                .unwrap_err()
                .code(),
            "too_deep"
        );
        let large = json!({ "a": "x".repeat(MAX_BYTES) });
        assert_eq!(
            Metadata::new(&object(&large)).unwrap_err().code(),
            "too_long"
        );
    }
}
