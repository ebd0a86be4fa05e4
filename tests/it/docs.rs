//! The OpenAPI document and the page that shows it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::on_both;

on_both! {
    async fn the_document_is_served_without_a_key_and_complete(app: &TestApp) {
        let served = app.nobody().get("/openapi.json").await.ok();
        let built = serde_json::to_value(handbill::app::openapi()).expect("the document");
        assert_eq!(served, built);
        assert_eq!(served["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        for (path, operations) in served["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let name = operation["operationId"].as_str().expect("an operationId");
                assert!(names.insert(name.to_owned()), "{name} stands twice");
                assert!(operation["summary"].is_string(), "{name}");
                for (status, response) in operation["responses"].as_object().expect("responses") {
                    assert!(response["description"].is_string() || response["$ref"].is_string(), "{name} {status}");
                }
                let public = operation["security"] == serde_json::json!([{}]);
                assert_eq!(public, !["/api/", "/v1/", "/rest_api/"].iter().any(|api| path.starts_with(api)), "{method} {path}");
            }
        }
        let published = [
            "listUsers", "getUser", "listPosters", "getPoster", "listImpressions", "getImpression", "listReferrals",
            "createReferral", "getReferral", "updateReferral", "listEarnings", "createEarning", "getEarning", "updateEarning",
        ];
        for name in published {
            assert!(names.contains(name), "{name}");
        }
    }

    async fn every_operation_in_the_document_is_served(app: &TestApp) {
        let account = app.database.account_named("default").to_string();
        let joy = [("x-joy-loyalty-app-key", &*account), ("x-joy-loyalty-secret-key", app.key.as_deref().expect("a key"))];
        let document = app.get("/openapi.json").await.ok();
        for (path, operations) in document["paths"].as_object().expect("paths") {
            let path = path.replace("{id}", "x").replace("{code}", "XXXXX").replace("{version}", "1").replace("{event_id}", "x").replace("{customerId}", "x");
            let offered: BTreeSet<String> = operations.as_object().expect("operations").keys().map(|m| m.to_uppercase()).collect();
            let answer = app.send(reqwest::Method::PATCH, &path, &joy, None::<String>).await;
            assert_eq!(answer.status, 405, "{path}");
            let allowed: BTreeSet<String> = answer.header("allow").expect("methods").split(", ")
                .filter(|method| *method != "HEAD").map(str::to_owned).collect();
            assert_eq!(allowed, offered, "{path}");
        }
    }

    async fn the_page_asks_no_other_host(app: &TestApp) {
        let nobody = app.nobody();
        assert_eq!(nobody.get("/docs").await.header("location"), Some("/docs/"));
        let page = nobody.get("/docs/").await;
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
        let html = page.text();
        for file in html.split("src=\"").skip(1).chain(html.split("href=\"").skip(1)) {
            let file = file.split('"').next().expect("a file");
            assert!(!file.contains("//"), "{file}");
            let answer = nobody.get(&format!("/docs/{}", file.trim_start_matches("./"))).await;
            assert_eq!(answer.status, 200, "{file}");
        }
        let start = nobody.get("/docs/swagger-initializer.js").await.text();
        assert!(start.contains("/openapi.json"), "{start}");
        assert!(start.contains("\"validatorUrl\": \"none\"") || start.contains("validatorUrl: \"none\""), "{start}");
    }
}

#[test]
fn every_example_in_the_document_satisfies_its_schema() {
    let document = serde_json::to_value(handbill::app::openapi()).expect("the document");
    let mut checked = 0;
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .expect("schemas")
    {
        let Some(example) = schema.get("example") else {
            continue;
        };
        let whole = serde_json::json!({ "$ref": format!("#/components/schemas/{name}"), "components": document["components"] });
        let validator = jsonschema::draft202012::new(&whole).expect("a schema");
        let errors: Vec<String> = validator
            .iter_errors(example)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn no_description_is_missing_in_the_document() {
    fn walk(at: &str, value: &Value, missing: &mut Vec<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let described = property.get("description").is_some()
                    || property.to_string().contains("\"description\"");
                if !described {
                    missing.push(format!("{at}.{name}"));
                }
            }
        }
    }
    let document = serde_json::to_value(handbill::app::openapi()).expect("the document");
    let mut missing = Vec::new();
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .expect("schemas")
    {
        walk(name, schema, &mut missing);
    }
    assert_eq!(missing, Vec::<String>::new());
}
