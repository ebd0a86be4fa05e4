//! Somebody who sends requests. Every answer is held against the OpenAPI document.

use handbill::ids::AccountId;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method};
use serde_json::Value;

use super::{Answer, contract};

/// The beginning of a client. Nobody speaks TLS here, so the system's certificates need not be read for each.
pub fn client() -> ClientBuilder {
    handbill::webhooks::send::builder().tls_certs_only([])
}

#[derive(Clone)]
pub struct Caller {
    pub base: String,
    pub key: Option<String>,
    /// What goes with every request, where the key is not all that a dialect asks for.
    also: Vec<(&'static str, String)>,
    client: Client,
}

impl Caller {
    pub fn new(base: &str, key: Option<String>) -> Self {
        let client = client()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self {
            base: base.to_owned(),
            key,
            also: Vec::new(),
            client,
        }
    }

    /// The same, with one of Joy's clients: `account` is the id of the key's account.
    pub fn with_joy(&self, account: AccountId) -> Self {
        let key = self.key.clone().expect("a key");
        let also = vec![
            ("x-joy-loyalty-app-key", account.to_string()),
            ("x-joy-loyalty-secret-key", key),
        ];
        Self {
            also,
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None::<String>).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string()))
            .await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body.to_string()))
            .await
    }

    /// POSTs exactly these bytes as JSON.
    pub async fn post_text(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Method::POST, path, &[], Some(body.into())).await
    }

    /// Any request; a body is JSON unless a header says otherwise.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<impl Into<reqwest::Body>>,
    ) -> Answer {
        let mut all = HeaderMap::new();
        if let Some(key) = &self.key {
            all.insert(
                AUTHORIZATION,
                HeaderValue::from_str(&format!("Bearer {key}")).expect("a key"),
            );
        }
        for (name, value) in &self.also {
            all.insert(*name, HeaderValue::from_str(value).expect("a header"));
        }
        if body.is_some() {
            all.insert("content-type", HeaderValue::from_static("application/json"));
        }
        // What is named takes the place of the usual header; named twice, it is sent twice; empty, not at all.
        for (name, _) in headers {
            all.remove(*name);
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            all.append(name, HeaderValue::from_str(value).expect("a header value"));
        }
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .headers(all);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let answer = Answer::read(response).await;
        contract::check(&method, path, &answer);
        answer
    }
}
