//! So many requests per minute and key, told in headers on every answer.
//!
//! The `RateLimit` fields follow the IETF draft (`t` is the seconds until there is more quota); the
//! `X-RateLimit-*` fields are the older habit, with `Reset` as the Unix time at which the quota is whole.

use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Timestamp;
use crate::ids::ApiKeyId;

type Limiter =
    RateLimiter<ApiKeyId, DashMapStateStore<ApiKeyId>, DefaultClock, StateInformationMiddleware>;

/// Counts requests per key. Keys are real ones, so there are never more entries than keys.
#[derive(Clone)]
pub struct RateLimit {
    limiter: Arc<Limiter>,
    per_minute: NonZeroU32,
}

/// What a key has left.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    limit: u32,
    remaining: u32,
    /// Seconds until there is room for one more request.
    pub wait: u64,
    /// When the quota is whole again.
    whole_at: Timestamp,
}

impl RateLimit {
    /// Allows `per_minute` requests a minute, all of them at once if it must be.
    pub fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::dashmap(Quota::per_minute(per_minute));
        Self {
            limiter: Arc::new(limiter.with_middleware::<StateInformationMiddleware>()),
            per_minute,
        }
    }

    /// Counts a request of `key`. `Err`: it is one too many.
    pub fn count(&self, key: &ApiKeyId, now: Timestamp) -> Result<Standing, Standing> {
        let limit = self.per_minute.get();
        let standing = |remaining: u32, wait| {
            let missing = u64::from(limit - remaining.min(limit)) * 60 / u64::from(limit);
            let seconds = i64::try_from(missing + 1).unwrap_or(60);
            Standing {
                limit,
                remaining,
                wait,
                whole_at: now.plus_seconds(seconds),
            }
        };
        match self.limiter.check_key(key) {
            Ok(snapshot) => Ok(standing(snapshot.remaining_burst_capacity(), 0)),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(standing(0, wait.as_secs() + 1))
            }
        }
    }
}

impl Standing {
    /// Writes the standing into an answer's headers.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let until_more = self.wait.max(u64::from(60 / self.limit.max(1)).max(1));
        let fields = [
            (
                "ratelimit-policy",
                format!("\"default\";q={};w=60", self.limit),
            ),
            (
                "ratelimit",
                format!("\"default\";r={};t={until_more}", self.remaining),
            ),
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            (
                "x-ratelimit-reset",
                (self.whole_at.micros() / 1_000_000).to_string(),
            ),
        ];
        for (name, text) in fields {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
