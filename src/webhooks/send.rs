//! One attempt: a request to a receiver, and what came of it. Whatever a receiver does, it takes fifteen seconds and
//! sixty-four kilobytes at most.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::DateTime;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode};
use tokio::time::timeout;

use super::guard::{Guard, Refused};
use super::message::Message;
use super::schedule::Hint;
use super::secret::SigningSecret;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::text::WebUrl;

/// How long an attempt may take, from the name to the answer.
const LONGEST: Duration = Duration::from_secs(15);
/// How much of that may go by before there is a connection.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);
/// A receiver has answered with its status; so long we listen to what else it says.
const LONGEST_ANSWER: Duration = Duration::from_secs(2);
/// How many bytes of an answer are read before the connection is closed.
const MOST_READ: usize = 64 * 1024;
/// How many characters of an answer are kept.
const MOST_KEPT: usize = 1000;
/// The answers of a receiver that has too much to do, and of the proxies in front of one.
const OVERLOADED: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];
const AGENT: &str = concat!("handbill/", env!("CARGO_PKG_VERSION"));

/// Sends messages. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Sender {
    guard: Guard,
    /// Who may sign receivers' certificates, beside whom the system trusts.
    authorities: Arc<[Certificate]>,
    /// Made at the first attempt: reading the system's certificates takes longer than many a process lives.
    client: Arc<OnceLock<Result<Client, String>>>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What the receiver answered, if it did.
    pub status: Option<u16>,
    /// Why this is a failure; none: the receiver has the message.
    pub error: Option<String>,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
    /// How long it took.
    pub took_ms: i64,
    /// What it says about the next attempt.
    pub hint: Hint,
}

impl Attempt {
    /// Whether the receiver has the message.
    pub fn delivered(&self) -> bool {
        self.error.is_none()
    }

    /// Whether the receiver wants no messages any more.
    pub fn gone(&self) -> bool {
        self.status == Some(StatusCode::GONE.as_u16())
    }

    fn failed(error: String) -> Self {
        Self {
            status: None,
            error: Some(error),
            excerpt: None,
            took_ms: 0,
            hint: Hint::default(),
        }
    }
}

impl Sender {
    /// Sends to whom `guard` lets pass, if a certificate says who that is that the system or one of `authorities` has
    /// signed.
    pub fn new(guard: Guard, authorities: Vec<Certificate>) -> Self {
        Self {
            guard,
            authorities: authorities.into(),
            client: Arc::default(),
        }
    }

    /// Whether it can be told from `url` already that nothing will ever be sent there.
    pub fn refuses(&self, url: &WebUrl) -> bool {
        url.to_url()
            .is_none_or(|url| self.guard.check(&url).is_err())
    }

    /// Sends `message` to `url`, signed at `now` with each of `secrets`.
    ///
    /// # Errors
    /// A defect of ours. What the receiver or the network does is an [`Attempt`].
    pub async fn send(
        &self,
        url: &WebUrl,
        secrets: &[SigningSecret],
        message: &Message,
        now: Timestamp,
    ) -> Result<Attempt, Error> {
        let body = message.body()?;
        let headers = message.headers(secrets, now, &body)?;
        let Some(target) = url.to_url() else {
            return Err(Error::internal("a stored URL is none"));
        };
        if let Err(refused) = self.guard.check(&target) {
            return Ok(Attempt::failed(refused.to_string()));
        }
        let client = self
            .client
            .get_or_init(|| client(&self.guard, &self.authorities));
        let client = client
            .as_ref()
            .map_err(|error| Error::internal(error.clone()))?;
        let mut request = client.post(target);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .body(body);
        let began = Instant::now();
        let answered = timeout(LONGEST, request.send()).await;
        let mut attempt = match answered {
            Err(_) => too_slow(),
            Ok(Err(error)) if error.is_timeout() => too_slow(),
            Ok(Err(error)) => Attempt::failed(reason(&error)),
            Ok(Ok(response)) => {
                let left = LONGEST.saturating_sub(began.elapsed());
                judge(response, now, left.min(LONGEST_ANSWER)).await
            }
        };
        attempt.took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        Ok(attempt)
    }
}

/// The beginning of every HTTP client: says which cryptography TLS is made with, without which none can be built.
pub fn builder() -> ClientBuilder {
    // Whoever was faster has put the same one there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

/// A client that goes nowhere but where it is sent: no redirects, no proxies, no name that the guard has not seen.
fn client(guard: &Guard, authorities: &[Certificate]) -> Result<Client, String> {
    builder()
        .http1_only()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(LONGEST_CONNECT)
        .timeout(LONGEST)
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(2)
        .dns_resolver(guard.clone())
        .tls_certs_merge(authorities.iter().cloned())
        .build()
        .map_err(|error| error.to_string())
}

fn too_slow() -> Attempt {
    let mut attempt = Attempt::failed(format!("no answer within {} seconds", LONGEST.as_secs()));
    attempt.hint.overloaded = true;
    attempt
}

/// What went wrong, as far down as it says; without the URL, which may have a token in it.
fn reason(error: &reqwest::Error) -> String {
    let mut last = error.source();
    while let Some(cause) = last {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return refused.to_string();
        }
        match cause.source() {
            None => break,
            deeper => last = deeper,
        }
    }
    let cause = last.map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    match error.is_connect() {
        true => format!("no connection: {cause}"),
        false => format!("no answer: {cause}"),
    }
}

/// What an answer means. The status decides; what follows it is only kept to be looked at.
async fn judge(response: Response, now: Timestamp, left: Duration) -> Attempt {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| wish(value.to_str().ok()?.trim(), now));
    let excerpt = read(response, left).await;
    Attempt {
        status: Some(status.as_u16()),
        error: (!status.is_success()).then(|| format!("answered {}", status.as_u16())),
        excerpt: (!excerpt.is_empty()).then_some(excerpt),
        took_ms: 0,
        hint: Hint {
            overloaded: OVERLOADED.contains(&status),
            retry_after: retry_after.filter(|seconds| *seconds >= 0),
        },
    }
}

/// `Retry-After`: a number of seconds, or a moment.
fn wish(text: &str, now: Timestamp) -> Option<i64> {
    let seconds = text.parse().ok();
    seconds.or_else(|| {
        let moment = DateTime::parse_from_rfc2822(text).ok()?;
        Some(moment.timestamp() - now.micros().div_euclid(1_000_000))
    })
}

/// The beginning of an answer. The connection is only used again if the answer ended by itself.
async fn read(mut response: Response, left: Duration) -> String {
    let mut bytes = Vec::new();
    let all = async {
        while bytes.len() < MOST_READ {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
    };
    // What came in time is kept.
    let _ = timeout(left, all).await;
    // PostgreSQL keeps no U+0000.
    let text = String::from_utf8_lossy(&bytes);
    text.chars()
        .filter(|c| *c != '\0')
        .take(MOST_KEPT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Parse;

    #[test]
    fn a_wish_is_a_number_of_seconds_or_a_moment() {
        let now = Timestamp::parse("2024-01-15T10:30:00Z").unwrap();
        assert_eq!(wish("120", now), Some(120));
        assert_eq!(wish("Mon, 15 Jan 2024 10:31:30 GMT", now), Some(90));
        assert_eq!(wish("soon", now), None);
    }
}
