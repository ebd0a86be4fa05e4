//! JSON as we accept it: one object, and no key twice in an object.
//!
//! `serde_json::Value` keeps the last of two equal keys without a word; here that is refused.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::parse::excerpt;

/// The JSON object in `bytes`, or a sentence about why there is none.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(bytes) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(_) => Err("The request body must be a JSON object".to_owned()),
        Err(error) if bytes.iter().all(u8::is_ascii_whitespace) => {
            drop(error);
            Err("The request body is empty; it must be a JSON object".to_owned())
        }
        Err(error) => Err(format!(
            "The request body is not valid JSON: {}",
            reason(&error)
        )),
    }
}

/// serde's wording, as far as it speaks about JSON and not about our types.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.contains("UTF-8") || text.contains("unicode") {
        true => format!(
            "it is not valid UTF-8 near line {} column {}",
            error.line(),
            error.column()
        ),
        false => text,
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Strict(value) = entries.next_value()?;
            if object.contains_key(&key) {
                return Err(de::Error::custom(format_args!(
                    "the key {:?} stands there twice",
                    excerpt(&key)
                )));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn only_one_clean_object_passes() {
        assert_eq!(
            object(br#"{"b":1,"a":[null,true,-2,0.5,"x"]}"#)
                .unwrap()
                .len(),
            2
        );
        for (bad, sign) in [
            (&b""[..], "is empty"),
            (b" \n", "is empty"),
            (b"[1]", "must be a JSON object"),
            (b"null", "must be a JSON object"),
            (b"{", "not valid JSON"),
            (b"{} x", "not valid JSON"),
            (b"{'a':1}", "not valid JSON"),
            (br#"{"a":1,"a":2}"#, "twice"),
            (br#"{"m":{"a":1,"a":2}}"#, "twice"),
            (br#"{"a":"\ud800"}"#, "not valid JSON"),
            (b"{\"a\":\"\xff\"}", "UTF-8"),
            (br#"{"a":1e999}"#, "not valid JSON"),
        ] {
            let said = object(bad).unwrap_err();
            assert!(
                said.contains(sign),
                "{:?}: {said}",
                String::from_utf8_lossy(bad)
            );
        }
        let deep = format!(
            "{}{}",
            r#"{"a":"#.repeat(200),
            "1".to_owned() + &"}".repeat(200)
        );
        assert!(
            object(deep.as_bytes())
                .unwrap_err()
                .contains("recursion limit")
        );
    }
}
