//! What takes the place of what was personal. Pure.

use serde_json::{Map, Value, json};

/// What an erased person is called, twice. Clients know that there is always a name.
pub const NAME: &str = "Erased";
/// An address that nobody can ever have.
pub const EMAIL: &str = "erased@erased.invalid";

/// The fields of our objects that may hold something personal, and what they hold afterwards.
fn blank(field: &str) -> Option<Value> {
    match field {
        "first_name" | "last_name" | "name" => Some(json!(NAME)),
        "email" => Some(json!(EMAIL)),
        "metadata" => Some(json!({})),
        "profile_picture" | "external_id" | "phone" | "description" | "reason"
        | "failure_reason" | "note" | "user_agent" | "ip_address" => Some(Value::Null),
        _ => None,
    }
}

/// The object of an event, as it was sent, without what is personal in it.
pub fn without_anybody(object: &str) -> String {
    match serde_json::from_str(object) {
        Ok(Value::Object(fields)) => Value::Object(emptied(fields)).to_string(),
        // No object of ours; nothing of it is worth keeping.
        _ => "{}".to_owned(),
    }
}

/// The object of a scan's event without what says which phone it was.
pub fn without_a_phone(object: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(object) else {
        return "{}".to_owned();
    };
    for field in ["user_agent", "ip_address"] {
        if let Some(value) = fields.get_mut(field) {
            *value = Value::Null;
        }
    }
    Value::Object(fields).to_string()
}

fn emptied(fields: Map<String, Value>) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(field, value)| {
            let value = match (blank(&field), value) {
                (_, Value::Null) => Value::Null,
                (Some(blank), _) => blank,
                (None, value) => inside(value),
            };
            (field, value)
        })
        .collect()
}

fn inside(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(emptied(fields)),
        Value::Array(items) => items.into_iter().map(inside).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_and_numbers_stay() {
        let object = r#"{"id":"ref_1","first_name":"Zoë","email":"z@example.com","external_id":null,"metadata":{"a":"Zoë"},
            "amount":5,"items":[{"note":"Zoë","id":"x"}]}"#;
        assert_eq!(
            without_anybody(object),
            r#"{"id":"ref_1","first_name":"Erased","email":"erased@erased.invalid","external_id":null,"metadata":{},"amount":5,"items":[{"note":null,"id":"x"}]}"#
        );
        assert_eq!(without_anybody("[\"Zoë\"]"), "{}");
    }
}
