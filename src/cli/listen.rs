//! `handbill listen`: follows the feed of a running server, prints it, and forwards it as webhooks would, to a program on
//! a developer's own machine, which no server on the internet could reach.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use standardwebhooks::Webhook;
use url::Url;

use super::say;
use crate::clock::Clock;
use crate::config::listen_key;
use crate::webhooks::send::builder;

/// How long a request for the next events waits, in seconds, and how long it may take altogether.
const WAIT: u64 = 25;
const PATIENCE: Duration = Duration::from_secs(40);
/// How long the receiver may take.
const RECEIVER: Duration = Duration::from_secs(15);
/// How long it rests when the server does not answer.
const REST: Duration = Duration::from_secs(1);

/// What to follow.
#[derive(clap::Args)]
pub(super) struct Options {
    /// Where the server is
    #[arg(long, default_value = "http://localhost:3000")]
    url: Url,
    /// An API key of the account; HANDBILL_KEY when left out, which keeps it out of the list of processes
    #[arg(long)]
    key: Option<String>,
    /// Where to send each event, such as http://localhost:8080/webhooks
    #[arg(long)]
    forward: Option<Url>,
    /// Only these types, with commas between them; referral.* means all that begin so
    #[arg(long)]
    types: Option<String>,
    /// Begin behind this event; left out, begin with what happens next
    #[arg(long)]
    after: Option<String>,
    /// Sign what is forwarded with this secret, whsec_…
    #[arg(long)]
    secret: Option<String>,
    /// Stop after so many events
    #[arg(long)]
    count: Option<u64>,
    /// Print each event as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Follows until it is stopped.
///
/// # Errors
/// A sentence, if the server refuses the key or the request, or the secret is none.
pub(super) fn listen(options: &Options) -> Result<(), String> {
    let signer = options.secret.as_deref().map(Webhook::new).transpose();
    let signer = signer.map_err(|_| "the secret must be whsec_ and base64".to_owned())?;
    let key = options.key.clone().or_else(listen_key);
    let key = key.ok_or("set HANDBILL_KEY to an API key of the account, or say one with --key")?;
    // Whatever proxy the environment names, this goes to the addresses it was told.
    let client = builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let listener = Listener {
        client: client.map_err(|error| error.to_string())?,
        options,
        key,
        signer,
        clock: Clock::System,
    };
    actix_web::rt::System::new().block_on(listener.follow())
}

/// What went wrong, as far down as it says: the rest is that something did.
fn cause(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(deeper) = last.source() {
        last = deeper;
    }
    last.to_string()
}

struct Listener<'a> {
    client: Client,
    options: &'a Options,
    key: String,
    signer: Option<Webhook>,
    clock: Clock,
}

impl Listener<'_> {
    async fn follow(&self) -> Result<(), String> {
        let mut after = match &self.options.after {
            Some(after) => Some(after.clone()),
            None => self.latest().await?,
        };
        let mut count = 0;
        loop {
            let Some(page) = self
                .ask(&[("wait", &WAIT.to_string())], after.as_deref())
                .await?
            else {
                tokio::time::sleep(REST).await;
                continue;
            };
            for event in page["events"].as_array().into_iter().flatten() {
                self.tell(event).await;
                after = event["id"].as_str().map(str::to_owned);
                count += 1;
                if self.options.count.is_some_and(|most| count >= most) {
                    return Ok(());
                }
            }
        }
    }

    /// The id of the last event there is.
    async fn latest(&self) -> Result<Option<String>, String> {
        loop {
            if let Some(page) = self.ask(&[("order", "desc"), ("limit", "1")], None).await? {
                return Ok(page["events"][0]["id"].as_str().map(str::to_owned));
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// `None`: the server cannot be reached or has too much to do; later again.
    async fn ask(
        &self,
        query: &[(&str, &str)],
        after: Option<&str>,
    ) -> Result<Option<Value>, String> {
        let mut url = self.options.url.clone();
        url.set_path("/api/v1/events");
        url.query_pairs_mut().extend_pairs(query);
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", after);
        }
        if let (Some(types), false) = (&self.options.types, query.contains(&("limit", "1"))) {
            url.query_pairs_mut().append_pair("types", types);
        }
        let request = self
            .client
            .get(url)
            .bearer_auth(&self.key)
            .timeout(PATIENCE);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                log::warn!(
                    "{} does not answer, again in a moment: {}",
                    self.options.url,
                    cause(&error)
                );
                return Ok(None);
            }
        };
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        match status.as_u16() {
            200 => Ok(Some(body)),
            429 | 500.. => Ok(None),
            _ => Err(body["message"]
                .as_str()
                .unwrap_or("this is no handbill server")
                .to_owned()),
        }
    }

    async fn tell(&self, event: &Value) {
        let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let outcome = match &self.options.forward {
            None => String::new(),
            Some(url) => match self.forward(url, event, &word("id")).await {
                Ok(status) => format!(" -> {status}"),
                Err(error) => format!(" -> {error}"),
            },
        };
        match self.options.json {
            true => say(&event.to_string()),
            false => say(&format!(
                "{} {} {} {}{outcome}",
                word("created_at"),
                word("id"),
                word("type"),
                word("object_id")
            )),
        }
    }

    /// Sends an event as a webhook would be sent. The receiver's status.
    async fn forward(&self, url: &Url, event: &Value, id: &str) -> Result<u16, String> {
        let body = serde_json::json!({
            "type": event["type"], "timestamp": event["created_at"], "data": event["data"], "id": id,
            "sequence": event["sequence"], "previous_status": event["previous_status"],
        })
        .to_string();
        let now = self.clock.now().micros() / 1_000_000;
        let mut request = self
            .client
            .post(url.clone())
            .timeout(RECEIVER)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now);
        if let Some(signer) = &self.signer {
            let signature = signer
                .sign(id, now, body.as_bytes())
                .map_err(|error| error.to_string())?;
            request = request.header("webhook-signature", signature);
        }
        let answer = request.body(body).send().await;
        let answer = answer.map_err(|error| cause(&error))?;
        Ok(answer.status().as_u16())
    }
}
