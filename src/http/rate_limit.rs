//! So many requests per minute and key, told in headers on every answer.
//!
//! The `RateLimit` fields follow the IETF draft (`t` is the seconds until there is more quota); the
//! `X-RateLimit-*` fields are the older habit, with `Reset` as the Unix time at which the quota is whole.

use std::convert::Infallible;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use crate::clock::Timestamp;
use crate::ids::ApiKeyId;

/// A key; one that everybody has is counted for each address.
type Holder = (ApiKeyId, Option<IpAddr>);
type Limiter = RateLimiter<Holder, Buckets<Holder>, DefaultClock, StateInformationMiddleware>;

/// Counts requests per key.
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
        let limiter = Limiter::new(
            Quota::per_minute(per_minute),
            Buckets::default(),
            DefaultClock::default(),
        );
        Self {
            limiter: Arc::new(limiter),
            per_minute,
        }
    }

    /// Counts a request of `key`, or of one `visitor` with it. `Err`: it is one too many.
    pub fn count(
        &self,
        key: &ApiKeyId,
        visitor: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Standing, Standing> {
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
        match self.limiter.check_key(&(key.clone(), visitor)) {
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

/// How many are counted at the same time. Beyond that some that were not seen for long start anew.
pub(super) const MOST_COUNTED: u64 = 50_000;
/// How many there is room for from the start.
pub(super) const FEW: usize = 1_000;

/// What everybody has used of a quota, in a bounded space.
pub(super) struct Buckets<K>(Cache<K, Arc<InMemoryState>>);

impl<K: Hash + Eq> Default for Buckets<K> {
    fn default() -> Self {
        Self(Cache::with_weighter(FEW, MOST_COUNTED, UnitWeighter))
    }
}

impl<K: Hash + Eq + Clone> StateStore for Buckets<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let full = || Ok::<_, Infallible>(Arc::default());
        let Ok(bucket) = self.0.get_or_insert_with(key, full);
        bucket.measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_million_keys_take_no_more_room_than_fifty_thousand() {
        let buckets = Buckets::<u32>::default();
        for key in 0..500_000 {
            let full: Result<(), ()> =
                buckets.measure_and_replace(&key, |_| Ok(((), Nanos::new(1))));
            full.unwrap();
        }
        assert!(buckets.0.len() as u64 <= MOST_COUNTED);
    }
}
