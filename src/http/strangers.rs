//! Who asks without a key, or with a wrong one: so many times per minute and address.
//!
//! It is the address that is counted, never the key that was tried or meant, so nobody can use up another's quota. An
//! address that is over the limit is told so without a look-up; keys that this process has seen working go on working
//! from there too.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{Quota, RateLimiter};
use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use super::rate_limit::{Buckets, FEW, MOST_COUNTED};

type Limiter =
    RateLimiter<IpAddr, Buckets<IpAddr>, DefaultClock, governor::middleware::NoOpMiddleware>;

/// Counts failures per address. Cheap to clone.
#[derive(Clone)]
pub struct Strangers(Arc<Inner>);

struct Inner {
    limiter: Limiter,
    /// Until when an address that was over the limit has no further try.
    shut: Cache<IpAddr, Instant>,
}

impl Strangers {
    /// Allows `per_minute` failures a minute, all of them at once if it must be.
    pub fn new(per_minute: NonZeroU32) -> Self {
        let (quota, clock) = (Quota::per_minute(per_minute), DefaultClock::default());
        Self(Arc::new(Inner {
            limiter: RateLimiter::new(quota, Buckets::default(), clock),
            shut: Cache::with_weighter(FEW, MOST_COUNTED, UnitWeighter),
        }))
    }

    /// Counts a failure. How many seconds to wait, if it was one too many.
    pub fn count(&self, address: IpAddr) -> Option<u64> {
        let network = network(address);
        let until = self.0.limiter.check_key(&network).err()?;
        let wait = until.wait_time_from(DefaultClock::default().now());
        self.0.shut.insert(network, Instant::now() + wait);
        Some(seconds(wait))
    }

    /// How many seconds to wait, if there is no try left.
    pub fn shut(&self, address: IpAddr) -> Option<u64> {
        let until = self.0.shut.get(&network(address))?;
        let wait = until.checked_duration_since(Instant::now())?;
        Some(seconds(wait))
    }
}

fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

/// Who has one IPv6 address has the other 2⁶⁴ beside it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_of_one_home_is_one_address() {
        let strangers = Strangers::new(NonZeroU32::new(2).unwrap());
        assert_eq!(strangers.count(address("2001:db8::1")), None);
        assert_eq!(strangers.shut(address("2001:db8::1")), None);
        assert_eq!(strangers.count(address("2001:db8::2")), None);
        assert_eq!(strangers.count(address("2001:db8::3")), Some(30));
        assert_eq!(strangers.shut(address("2001:db8::4")), Some(30));
        assert_eq!(strangers.count(address("2001:db8:0:1::1")), None);
        assert_eq!(strangers.count(address("203.0.113.1")), None);
        assert_eq!(strangers.count(address("203.0.113.2")), None);
    }
}
