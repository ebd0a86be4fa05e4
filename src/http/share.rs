//! Shares: so many requests of one key at the same time, so that a key that floods fills no queue alone, and others wait
//! behind its share at most.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;
use tokio::runtime::Handle;

use super::rate_limit::{FEW, MOST_COUNTED};
use crate::ids::ApiKeyId;

/// How long a request whose caller has hung up is counted: what it asked for may wait so long for the database.
const AFTER_HANGING_UP: Duration = Duration::from_secs(3);

/// A key; one that everybody has is counted for each address.
type Holder = (ApiKeyId, Option<IpAddr>);

/// What each key has on its way. Cheap to clone; clones share.
#[derive(Clone)]
pub struct Shares {
    taken: Arc<Cache<Holder, Arc<AtomicUsize>>>,
    most: usize,
}

impl Shares {
    /// At most so many requests for each.
    pub fn of(most: usize) -> Self {
        Self {
            taken: Arc::new(Cache::with_weighter(FEW, MOST_COUNTED, UnitWeighter)),
            most,
        }
    }

    /// A place for a request of `key`, or of one `visitor` with it. `None`: all of its places are taken.
    pub fn take(&self, key: &ApiKeyId, visitor: Option<IpAddr>) -> Option<Place> {
        let holder = (key.clone(), visitor);
        let Ok(taken) = self.taken.get_or_insert_with(&holder, || {
            Ok::<_, std::convert::Infallible>(Arc::default())
        });
        let place = Place {
            taken: Some(Taken::one_of(taken)),
        };
        let is_free = place
            .taken
            .as_ref()
            .is_some_and(|taken| taken.number <= self.most);
        if !is_free {
            place.give_back();
            return None;
        }
        Some(place)
    }
}

/// A request that is on its way.
pub struct Place {
    taken: Option<Taken>,
}

impl Place {
    /// It is answered.
    pub fn give_back(mut self) {
        self.taken = None;
    }
}

/// Its caller has hung up. What it asked for may be waiting still, so whoever hangs up and asks again gains nothing.
impl Drop for Place {
    fn drop(&mut self) {
        if let (Some(taken), Ok(here)) = (self.taken.take(), Handle::try_current()) {
            here.spawn(async move {
                tokio::time::sleep(AFTER_HANGING_UP).await;
                drop(taken);
            });
        }
    }
}

/// One of a holder's.
struct Taken {
    of: Arc<AtomicUsize>,
    /// How many there were with it.
    number: usize,
}

impl Taken {
    fn one_of(of: Arc<AtomicUsize>) -> Self {
        let number = of.fetch_add(1, Ordering::Relaxed) + 1;
        Self { of, number }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_key_has_its_places_and_no_more() {
        let (shares, now) = (Shares::of(2), Timestamp::from_micros(0));
        let (key, other) = (ApiKeyId::new(now), ApiKeyId::new(now));
        let first = shares.take(&key, None).unwrap();
        let second = shares.take(&key, None).unwrap();
        assert!(shares.take(&key, None).is_none());
        assert!(shares.take(&other, None).is_some());
        first.give_back();
        assert!(shares.take(&key, None).is_some());
        second.give_back();
    }
}
