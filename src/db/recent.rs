//! What was looked up before: a small map in front of look-ups that every request makes.
//!
//! What this process changes is forgotten at once. What another process changes is noticed within [`FRESH`], plus the
//! time that it takes to ask, and within [`OLDEST`] however long that takes: the database counts every change of a row
//! from which answers are made (`cache_generation`, by triggers), and if that number is another one, everything is
//! forgotten. Only what exists is remembered: something new is found at once, and wrong keys and codes cannot push out
//! the right ones.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use super::schema::cache_generation;
use super::together::Timed;
use super::{Db, DbConnection};
use crate::error::Error;

/// How long answers are used without asking the database whether something has changed.
pub const FRESH: Duration = Duration::from_millis(500);

/// How long answers are used at most: whoever finds that nobody was told anything for so long asks before going on.
pub const OLDEST: Duration = Duration::from_secs(1);

/// How many answers are kept.
const MOST: u64 = 20_000;
/// How many there is room for from the start.
const FEW: usize = 1_000;

/// Answers by their question. Cheap to clone; clones share.
pub struct Recent<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    answers: Cache<K, Answer<V>>,
    /// Counts the times that everything was forgotten.
    forgotten: AtomicU64,
    /// The database's number when it was last asked.
    generation: AtomicI64,
    /// When somebody has to ask again, in milliseconds from `started`. Whoever comes later moves it and asks, and the
    /// others go on with what is there …
    ask_at: AtomicU64,
    /// … until then: [`OLDEST`] after the last asking began that was answered.
    good_until: AtomicU64,
    started: Instant,
}

#[derive(Clone)]
struct Answer<V> {
    value: V,
    /// How often everything had been forgotten when it was looked up: it is none of those that came after.
    forgotten: u64,
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
            generation: AtomicI64::new(-1),
            ask_at: AtomicU64::new(0),
            good_until: AtomicU64::new(0),
            started: Instant::now(),
        }))
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// The answer to `question`: the one that is known, or what `look_up` finds in `db`.
    ///
    /// # Errors
    /// Those of `look_up`, and of asking whether something has changed.
    pub async fn get(
        &self,
        db: &Db,
        question: &K,
        look_up: impl Future<Output = Result<Option<V>, Error>>,
    ) -> Result<Option<V>, Error> {
        self.refresh(db.generation()).await?;
        self.answer(question, look_up).await
    }

    /// Forgets everything if something has changed, which is looked at now and then.
    async fn refresh(
        &self,
        generation: impl Future<Output = Result<i64, Error>>,
    ) -> Result<(), Error> {
        let now = millis(self.0.started.elapsed());
        if self.must_ask(now) {
            let generation = generation.await?;
            if self.0.generation.swap(generation, Ordering::AcqRel) != generation {
                self.forget();
            }
            let good_until = now + millis(OLDEST);
            self.0.good_until.fetch_max(good_until, Ordering::AcqRel);
        }
        Ok(())
    }

    fn must_ask(&self, now: u64) -> bool {
        let at = self.0.ask_at.load(Ordering::Acquire);
        let is_mine = || {
            let next = now + millis(FRESH);
            let ask_at = &self.0.ask_at;
            let moved = ask_at.compare_exchange(at, next, Ordering::AcqRel, Ordering::Relaxed);
            moved.is_ok()
        };
        (now >= at && is_mine()) || now >= self.0.good_until.load(Ordering::Acquire)
    }

    async fn answer(
        &self,
        question: &K,
        look_up: impl Future<Output = Result<Option<V>, Error>>,
    ) -> Result<Option<V>, Error> {
        let forgotten = self.0.forgotten.load(Ordering::Acquire);
        if let Some(answer) = self.0.answers.get(question)
            && answer.forgotten == forgotten
        {
            return Ok(Some(answer.value));
        }
        let found = look_up.await?;
        match &found {
            None => {
                self.0.answers.remove(question);
            }
            Some(value) => {
                let value = value.clone();
                let answer = Answer { value, forgotten };
                self.0.answers.insert(question.clone(), answer);
            }
        }
        Ok(found)
    }

    /// The last answer that is known, however old: also one that was forgotten. For who cannot ask the database.
    pub fn last(&self, question: &K) -> Option<V> {
        self.0.answers.get(question).map(|answer| answer.value)
    }

    /// Forgets everything: something that may be in an answer has changed.
    pub fn forget(&self) {
        self.0.forgotten.fetch_add(1, Ordering::Release);
    }
}

/// Looks the number up once and tells all who `asked`.
pub(super) fn generation(conn: &mut DbConnection, asked: &[Timed<()>]) -> Result<Vec<i64>, Error> {
    let generation = cache_generation::table
        .select(cache_generation::generation)
        .first(conn)?;
    Ok(vec![generation; asked.len()])
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    async fn ask(recent: &Recent<u8, u8>, found: u8) -> Option<u8> {
        recent.answer(&1, async { Ok(Some(found)) }).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_forgotten_during_a_look_up_is_not_remembered_after_it() {
        let recent = Recent::<u8, u8>::default();
        let look_up = async {
            recent.forget();
            Ok(Some(1))
        };
        assert_eq!(recent.answer(&1, look_up).await.unwrap(), Some(1));
        assert_eq!(ask(&recent, 2).await, Some(2));
        assert_eq!(ask(&recent, 3).await, Some(2));
    }

    #[tokio::test]
    async fn everything_is_forgotten_when_the_generation_is_another() {
        let recent = Recent::<u8, u8>::default();
        let is_asked_again = || recent.0.ask_at.store(0, Ordering::Relaxed);
        for (generation, found, answer) in [(7, 1, 1), (7, 2, 1), (8, 3, 3), (8, 4, 3), (7, 5, 5)] {
            is_asked_again();
            recent.refresh(async { Ok(generation) }).await.unwrap();
            assert_eq!(ask(&recent, found).await, Some(answer));
        }
        let nobody = async { panic!("it was asked a moment ago") };
        recent.refresh(nobody).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_goes_on_with_what_nobody_was_told_anything_of_for_long() {
        let recent = Recent::<u8, u8>::default();
        recent.refresh(async { Ok(7) }).await.unwrap();
        ask(&recent, 1).await;
        recent.0.ask_at.store(0, Ordering::Relaxed);
        recent.0.good_until.store(0, Ordering::Relaxed);
        // Somebody asks and waits, or has hung up meanwhile.
        let waiting = recent.refresh(std::future::pending());
        assert!(waiting.now_or_never().is_none());
        recent.refresh(async { Ok(8) }).await.unwrap();
        assert_eq!(ask(&recent, 2).await, Some(2));
        let nobody = async { panic!("it was asked a moment ago") };
        recent.refresh(nobody).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_known_stays_when_nobody_can_say_whether_it_has_changed() {
        let recent = Recent::<u8, u8>::default();
        ask(&recent, 1).await;
        let refused = recent.refresh(async { Err(Error::Unavailable(String::new())) });
        assert!(refused.await.is_err());
        recent.forget();
        assert_eq!(recent.last(&1), Some(1), "it is better than nothing");
        let gone = recent.answer(&1, async { Ok(None) });
        assert_eq!(gone.await.unwrap(), None);
        assert_eq!(recent.last(&1), None);
    }
}
