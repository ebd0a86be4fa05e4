//! Requests that are made up from the schemas of the document.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{MADE_UP, Operation, Position, Things, WITHOUT_SAYING_SO, kind};

impl Operation {
    pub fn request(&self, own: &Things, at: Option<(&Position, &str)>) -> (String, Option<String>) {
        let mut path = self.path.clone();
        let mut query = Vec::new();
        for parameter in &self.parameters {
            let name = parameter["name"].as_str().expect("a name");
            let placed = at.and_then(|(position, id)| match position {
                Position::Path(there) | Position::Query(there) if there == name => Some(id),
                _ => None,
            });
            let is_needed = placed.is_some() || parameter["required"] == true;
            let value = placed.map(str::to_owned).or_else(|| {
                let kind = match parameter["in"].as_str() {
                    Some("path") => self.path_kind(name),
                    _ => kind(name),
                };
                kind.map(|kind| {
                    own.get(kind)
                        .unwrap_or_else(|| panic!("nobody has a {kind}; arrange one"))
                        .clone()
                })
            });
            let value = value.unwrap_or_else(|| "1".to_owned());
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &value),
                Some("query") if is_needed => query.push(format!("{name}={value}")),
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let body = self
            .body
            .as_ref()
            .map(|schema| self.made_up(schema, own, at).to_string());
        (path, body)
    }

    /// An address that is nobody's yet, or where somebody has to be known, of one's own.
    pub fn address(&self, own: &Things) -> Value {
        match (&*self.name, own.get("address")) {
            ("joyCreateInvitation", Some(known)) => json!(known),
            (name, _) => json!(format!("{name}@example.com")),
        }
    }

    /// A status that one's own thing can get to.
    pub fn status(&self, schema: &Value) -> Value {
        match &*self.name {
            "updateReferral" => json!("converted"),
            "updateEarning" | "updatePayout" => json!("paid"),
            _ => value("status", schema),
        }
    }

    /// A body with everything that is required (and, in an update, everything that is not), and the id.
    pub fn made_up(&self, schema: &Value, own: &Things, at: Option<(&Position, &str)>) -> Value {
        let mut body = Map::new();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let placed = at.and_then(|(position, id)| match position {
                Position::Body(there) if there == name => Some(json!(id)),
                _ => None,
            });
            // Only a program for customers has coupons.
            let is_needed = required.contains(&json!(name))
                || (self.method == Method::PUT && !name.starts_with("coupon"))
                || WITHOUT_SAYING_SO.contains(&(&self.name, name));
            let value = match (placed, kind(name)) {
                (Some(placed), _) => Some(placed),
                (None, Some(kind)) if is_needed => own.get(kind).map(|id| json!(id)),
                (None, None) if is_needed && name == "email" => Some(self.address(own)),
                (None, None) if is_needed && name == "status" => Some(self.status(property)),
                (None, None) if is_needed => Some(value(name, property)),
                _ => None,
            };
            body.extend(value.map(|value| (name.clone(), value)));
        }
        if schema["properties"]["order_id"].is_object() && !body.contains_key("order_id") {
            body.insert("order_id".to_owned(), json!("order_made_up"));
        }
        Value::Object(body)
    }
}

/// A value that a field may have.
pub fn value(name: &str, schema: &Value) -> Value {
    match name {
        "landing_url" | "url" | "profile_picture" => return json!("https://example.com/made-up"),
        "types" => return json!(["referral.*"]),
        "idempotency_key" => return json!(MADE_UP),
        "rule" => return json!({ "commission": { "type": "flat", "amount": 5 } }),
        "kind" if schema["named"] == "KeyKind" => return json!("secret"),
        _ => {}
    }
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let parts = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    if let Some(part) = parts.and_then(|parts| parts.iter().find(|part| part["type"] != "null")) {
        return value(name, part);
    }
    let kind = schema["type"]
        .as_str()
        .or_else(|| schema["type"][0].as_str());
    match kind {
        Some("integer" | "number") => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ if schema["format"] == "date-time" => json!("2024-02-01T00:00:00Z"),
        _ => json!("made up"),
    }
}
