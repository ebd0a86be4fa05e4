//! The operations of `/api/v1` and of the dialects as the OpenAPI document has them, with requests made up for each: so that a new
//! operation is in the tests that go through all of them before anybody thinks of it.

mod made_up;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Answer, Caller};

/// An operation.
pub struct Operation {
    pub name: String,
    pub method: Method,
    pub path: String,
    /// What a restricted key needs for it; of a dialect, the document does not say.
    pub scope: String,
    parameters: Vec<Value>,
    body: Option<Value>,
}

/// One thing of each kind, by the letters before the underscore of its id.
pub type Things = BTreeMap<&'static str, String>;

/// Fields that one of several is needed of, or that must be there though the header may stand for them.
const WITHOUT_SAYING_SO: [(&str, &str); 3] = [
    ("createConversion", "referral_id"),
    ("createRefund", "idempotency_key"),
    ("replayWebhookEndpoint", "from"),
];

/// The idempotency key of all that takes one.
const MADE_UP: &str = "made-up";

/// Where an id stands in a request.
#[derive(Debug, Clone)]
pub enum Position {
    Path(String),
    Query(String),
    Body(String),
}

fn document() -> Value {
    serde_json::to_value(handbill::app::openapi()).expect("the document")
}

/// Every operation of ours that needs a key, deletions last.
pub fn operations() -> Vec<Operation> {
    let found = below("/api/v1/");
    assert!(found.len() > 50, "{}", found.len());
    for Operation { name, scope, .. } in &found {
        assert!(!scope.is_empty(), "{name} names no scope");
    }
    found
}

/// The same of the other published APIs.
pub fn operations_of_dialects() -> Vec<Operation> {
    let mut found = below("/v1/");
    found.extend(below("/rest_api/v2/"));
    assert!(found.len() > 15, "{}", found.len());
    found
}

fn below(prefix: &str) -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if !path.starts_with(prefix) {
                continue;
            }
            let name = operation["operationId"]
                .as_str()
                .expect("a name")
                .to_owned();
            let scope = operation["security"][0]["bearerAuth"][0].as_str();
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                scope: scope.unwrap_or_default().to_owned(),
                parameters: operation["parameters"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default(),
                body: (!body.is_null()).then(|| resolved(&document, body)),
                name,
            });
        }
    }
    found.sort_by_key(|operation| operation.method == Method::DELETE);
    found
}

/// A schema without its references, as far as values are made up of it.
fn resolved(document: &Value, schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = document.pointer(reference.trim_start_matches('#'));
                let mut target = resolved(document, target.expect("a target"));
                target["named"] = json!(reference.rsplit('/').next());
                target
            }
            None => fields
                .iter()
                .map(|(name, part)| (name.clone(), resolved(document, part)))
                .collect(),
        },
        Value::Array(parts) => parts.iter().map(|part| resolved(document, part)).collect(),
        other => other.clone(),
    }
}

/// The letters before the underscore of ids that stand under this name. None: no id does.
fn kind(name: &str) -> Option<&'static str> {
    let name = name.replace("Id", "_id");
    Some(match &*name {
        "program_id" => "prog",
        "student_id" => "user",
        "poster_id" => "poster",
        "impression_id" => "imp",
        "referral_id" => "ref",
        "conversion_id" => "conv",
        "earning_id" => "earn",
        "collection_id" => "coll",
        "event_id" => "evt",
        "customer_id" | "referrer_id" | "referred_id" | "referrer_customer" => "cust",
        "referred_customer" => "friend",
        // The callers' own names for things.
        "order_id" | "external_id" | "reference_id" | "object_id" => return None,
        name if name.ends_with("_id") => panic!("what are the ids called {name} of? Add it here"),
        _ => return None,
    })
}

impl Operation {
    /// The letters before the underscore of the ids in the path under this name.
    fn path_kind(&self, name: &str) -> Option<&'static str> {
        if !["id", "starting_after", "ending_before"].contains(&name) {
            return kind(name);
        }
        if let Some(part) = self.path.strip_prefix("/v1/") {
            return Some(match part.split('/').next() {
                Some("referrals") => "introduction",
                Some("customers") => "cust",
                Some("events") => "vinr event",
                Some("webhook-endpoints") => "we",
                other => panic!("what are the ids in {other:?} of? Add it here"),
            });
        }
        let part = self
            .path
            .trim_start_matches("/api/v1/")
            .trim_start_matches("public/");
        let part = part.split("/{id}").next().expect("what is before the id");
        Some(match part {
            "programs" => "prog",
            "users" => "user",
            "posters" => "poster",
            "impressions" => "imp",
            "referrals" => "ref",
            "conversions" => "conv",
            "refunds" => "refund",
            "earnings" => "earn",
            "payouts" => "payout",
            "payouts/collections" => "coll",
            "events" => "evt",
            "webhook-endpoints" => "whe",
            "keys" => "key",
            "customers" => "cust",
            "introductions" => "introduction",
            other => panic!("what are the ids in {other}/{{id}} of? Add it here"),
        })
    }

    /// Every place for an id, with the kind of thing it names.
    pub fn positions(&self) -> Vec<(Position, &'static str)> {
        let mut found = Vec::new();
        for parameter in &self.parameters {
            let name = parameter["name"].as_str().expect("a name").to_owned();
            let place = match parameter["in"].as_str() {
                Some("path") => self
                    .path_kind(&name)
                    .map(|kind| (Position::Path(name), kind)),
                Some("query") => self
                    .path_kind(&name)
                    .map(|kind| (Position::Query(name), kind)),
                _ => None,
            };
            found.extend(place);
        }
        let properties = self
            .body
            .as_ref()
            .and_then(|body| body["properties"].as_object());
        for name in properties.into_iter().flat_map(Map::keys) {
            found.extend(kind(name).map(|kind| (Position::Body(name.clone()), kind)));
        }
        found
    }

    /// Whether it takes an idempotency key, in the header and, if it has a body, in that.
    pub fn takes_a_key(&self) -> bool {
        let mut parameters = self.parameters.iter();
        let in_header = parameters.any(|parameter| parameter["name"] == "Idempotency-Key");
        let in_body = |body: &Value| body["properties"]["idempotency_key"].is_object();
        if self.path.starts_with("/api/v1/")
            && let Some(body) = &self.body
        {
            assert_eq!(in_header, in_body(body), "{}", self.name);
        }
        in_header
    }

    /// Every place in path and query, whatever it takes.
    pub fn parameters(&self) -> Vec<Position> {
        let place = |parameter: &Value| {
            let name = parameter["name"].as_str().expect("a name").to_owned();
            match parameter["in"].as_str() {
                Some("path") => Some(Position::Path(name)),
                Some("query") => Some(Position::Query(name)),
                _ => None,
            }
        };
        self.parameters.iter().filter_map(place).collect()
    }

    /// The fields of the body that take a text of the caller's choice.
    pub fn texts(&self) -> Vec<String> {
        let properties = self
            .body
            .as_ref()
            .and_then(|body| body["properties"].as_object());
        let is_text = |schema: &Value| {
            let parts = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
            let parts = parts.cloned().unwrap_or_else(|| vec![schema.clone()]);
            parts
                .iter()
                .any(|part| part["type"].to_string().contains("string") && part["enum"].is_null())
        };
        let fields = properties.into_iter().flatten();
        let texts = fields.filter(|(name, schema)| kind(name).is_none() && is_text(schema));
        texts.map(|(name, _)| name.clone()).collect()
    }

    /// The request with `own` things, and `value` in this field of the body.
    pub async fn send_text(
        &self,
        caller: &Caller,
        own: &Things,
        field: &str,
        text: &str,
    ) -> Answer {
        let schema = self.body.as_ref().expect("a body");
        let mut body = self.made_up(schema, own, None);
        body[field] = json!(text);
        if field != "idempotency_key" && schema["properties"]["idempotency_key"].is_object() {
            body["idempotency_key"] = json!(format!(
                "{field} {}",
                text.escape_unicode().take(200).collect::<String>()
            ));
        }
        let id = match self.path.contains("{id}") {
            true => self.path_kind("id").and_then(|kind| own.get(kind)),
            false => None,
        };
        let path = self.path.replace("{id}", id.map_or("x", |id| id));
        caller
            .send(self.method.clone(), &path, &[], Some(body.to_string()))
            .await
    }

    /// The request with `own` things in all places that must be filled, and `id` at `position`.
    pub async fn send(
        &self,
        caller: &Caller,
        own: &Things,
        at: Option<(&Position, &str)>,
    ) -> Answer {
        let (path, body) = self.request(own, at);
        caller.send(self.method.clone(), &path, &[], body).await
    }

    /// The same with an idempotency key.
    pub async fn send_with_a_key(&self, caller: &Caller, own: &Things) -> Answer {
        let (path, body) = self.request(own, None);
        let key = [("idempotency-key", MADE_UP)];
        caller.send(self.method.clone(), &path, &key, body).await
    }
}
