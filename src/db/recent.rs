//! What was looked up a moment ago: a small map in front of look-ups that every request makes.
//!
//! What this process changes is forgotten at once. What another process changes is noticed at the next look-up,
//! which is at most [`FRESH`] later, plus the time that it takes. Only what exists is remembered: something new is
//! found at once, and wrong keys and codes cannot push out the right ones.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use crate::error::Error;

/// How long an answer is used without asking the database again.
pub const FRESH: Duration = Duration::from_millis(500);

/// How many answers are kept.
const MOST: u64 = 20_000;
/// How many there is room for from the start.
const FEW: usize = 1_000;

/// Answers by their question. Cheap to clone; clones share.
pub struct Recent<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    answers: Cache<K, Answer<V>>,
    /// Counts the times that something was forgotten: a look-up that began before must not be remembered after.
    forgotten: AtomicU64,
    started: Instant,
}

#[derive(Clone)]
struct Answer<V> {
    value: V,
    /// Milliseconds from `started` until which the answer is fresh. Whoever finds it stale moves it and looks up,
    /// and the others go on with what is there, so that one look-up is made and not one per request.
    fresh_until: Arc<AtomicU64>,
}

impl<K, V> Clone for Recent<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Arc::new(Inner {
            answers: Cache::with_weighter(FEW, MOST, UnitWeighter),
            forgotten: AtomicU64::new(0),
            started: Instant::now(),
        }))
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// The answer to `question`: the one that is known, or what `look_up` finds.
    ///
    /// # Errors
    /// Those of `look_up`.
    pub async fn get(
        &self,
        question: &K,
        look_up: impl Future<Output = Result<Option<V>, Error>>,
    ) -> Result<Option<V>, Error> {
        let now = self.now();
        if let Some(answer) = self.0.answers.get(question) {
            let until = answer.fresh_until.load(Ordering::Relaxed);
            let is_mine = || {
                let next = now + millis(FRESH);
                let swapped = answer.fresh_until.compare_exchange(
                    until,
                    next,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                swapped.is_ok()
            };
            if now < until || !is_mine() {
                return Ok(Some(answer.value));
            }
        }
        let before = self.0.forgotten.load(Ordering::Acquire);
        let found = look_up.await?;
        match &found {
            None => {
                self.0.answers.remove(question);
            }
            Some(value) if before == self.0.forgotten.load(Ordering::Acquire) => {
                let answer = Answer {
                    value: value.clone(),
                    fresh_until: Arc::new(AtomicU64::new(now + millis(FRESH))),
                };
                self.0.answers.insert(question.clone(), answer);
            }
            Some(_) => {}
        }
        Ok(found)
    }

    /// The last answer that is known, however old.
    pub fn last(&self, question: &K) -> Option<V> {
        self.0.answers.get(question).map(|answer| answer.value)
    }

    /// Forgets everything: something that may be in an answer has changed.
    pub fn forget(&self) {
        self.0.forgotten.fetch_add(1, Ordering::Release);
        self.0.answers.clear();
    }

    fn now(&self) -> u64 {
        millis(self.0.started.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_forgotten_during_a_look_up_is_not_remembered_after_it() {
        let recent = Recent::<u8, u8>::default();
        let old = recent
            .get(&1, async {
                recent.forget();
                Ok(Some(1))
            })
            .await;
        assert_eq!(old.unwrap(), Some(1));
        assert_eq!(recent.last(&1), None);
        assert_eq!(
            recent.get(&1, async { Ok(Some(2)) }).await.unwrap(),
            Some(2)
        );
        assert_eq!(
            recent.get(&1, async { Ok(Some(3)) }).await.unwrap(),
            Some(2)
        );
    }
}
