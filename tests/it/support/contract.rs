//! Holds every answer against the OpenAPI document: the status must be one that the operation documents, and
//! a JSON body must satisfy the schema given for it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use super::Answer;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(handbill::app::openapi()).expect("the document"));
static VALIDATORS: LazyLock<Mutex<HashMap<String, Validator>>> = LazyLock::new(Mutex::default);

pub fn check(method: &Method, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    let method = if *method == Method::HEAD {
        "get".to_owned()
    } else {
        method.as_str().to_lowercase()
    };
    if method == "options" {
        return;
    }
    // Where HEAD is no GET, the GET does not document it.
    let documented = operation(&method, path).filter(|_| answer.status != 405);
    let Some(operation) = documented else {
        assert!(
            [401, 404, 405].contains(&answer.status) || !path.starts_with("/api"),
            "{method} {path}"
        );
        return;
    };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(
        !response.is_null(),
        "{method} {path} answers {}, which it does not document: {}",
        answer.status,
        answer.text()
    );
    let response = response["$ref"]
        .as_str()
        .map_or(response, |reference| resolve(reference));
    let schema = &response["content"]["application/json"]["schema"];
    if !schema.is_null() && !answer.bytes.is_empty() {
        validate(schema, answer);
    }
}

/// The operation that the document has for this path.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object()?;
    let fits = |template: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) =
            (template.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(want, got)| match want.split_once('}') {
                    Some((_, ending)) => got.ends_with(ending),
                    None => want == got,
                })
    };
    // `/keys/{id}:rotate` before `/keys/{id}`.
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    let found = fitting.max_by_key(|(template, _)| template.len())?;
    found.1.get(method)
}

fn resolve(reference: &str) -> &'static Value {
    DOCUMENT
        .pointer(reference.trim_start_matches('#'))
        .expect("a reference that leads somewhere")
}

fn validate(schema: &Value, answer: &Answer) {
    let body = answer.json();
    let mut validators = VALIDATORS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = validators.entry(schema.to_string()).or_insert_with(|| {
        let whole = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
        jsonschema::draft202012::new(&whole).expect("a valid schema")
    });
    if let Err(error) = validator.validate(&body) {
        panic!(
            "the body breaks its schema: {error} at {} in {body}",
            error.instance_path()
        );
    }
}
