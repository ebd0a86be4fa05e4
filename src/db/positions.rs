//! Where some rows stand in lists that grow only at their end, so that a page deep in such a list starts from a
//! row nearby and not from the first. A row's place never changes there: rows are never deleted, and none is
//! made before those that are closed (see `order`). Knows no noun: a list is a name.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::db::page::{Order, Page};
use crate::ids;

/// How many rows lie between two remembered places; what a page passes over costs less than the page.
const EVERY: i64 = 500;
/// How old, in seconds, a row is before its place is remembered: so far the machine's clock may be put back.
const SETTLED_FOR: i64 = 10;
/// The most places remembered of one list: of a longer one, fewer and further apart.
const MOST_IN_A_LIST: usize = 2048;
/// The most places remembered in all, a megabyte or two. Beyond it the list that was longest unused is forgotten.
const MOST: usize = 8192;

/// The remembered places.
pub struct Positions {
    every: i64,
    settled_for: i64,
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    by_name: HashMap<String, List>,
    places: usize,
    uses: u64,
}

struct List {
    every: i64,
    last_use: u64,
    /// How many rows there are up to and including a row, and the row's id.
    places: BTreeMap<i64, String>,
}

/// A page that is being looked for.
pub struct Walk {
    list: String,
    offset: i64,
    /// What to load: the same rows, counted from the nearest place that is remembered.
    pub page: Page,
    /// Whether the end of the page may become such a place, which needs to know what is closed.
    pub goes_far: bool,
}

impl Default for Positions {
    fn default() -> Self {
        Self::new(EVERY, SETTLED_FOR)
    }
}

impl Positions {
    /// Remembers a place `every` so many rows, of rows older than so many seconds.
    pub fn new(every: i64, settled_for: i64) -> Self {
        Self {
            every,
            settled_for,
            lists: Mutex::default(),
        }
    }

    /// How to find `page` of `list`. `None`: nothing is to be gained, because the page is at the beginning or is
    /// not counted from there.
    pub fn begin(&self, list: String, page: &Page) -> Option<Walk> {
        let end = page.offset.saturating_add(page.limit);
        if matches!(page.order, Order::Desc) || page.after.is_some() || end < self.every {
            return None;
        }
        let mut lists = self.lists();
        let near = lists.nearest(&list, page.offset);
        let is_known = lists.at(&list, end).is_some();
        let passed = near.as_ref().map_or(0, |(place, _)| *place);
        Some(Walk {
            list,
            offset: page.offset,
            page: Page {
                offset: page.offset - passed,
                after: near.map(|(_, id)| id),
                ..page.clone()
            },
            goes_far: end - passed >= self.every && !is_known,
        })
    }

    /// The page is found: it has so many `rows`, the last one's id is `last`. `closed` was known before it was
    /// loaded, so every row that belongs before an older one was there to be counted.
    pub fn end(&self, walk: Walk, rows: usize, last: &str, closed: Option<Timestamp>) {
        let place = walk
            .offset
            .saturating_add(i64::try_from(rows).unwrap_or(i64::MAX));
        let mut lists = self.lists();
        match lists.at(&walk.list, place) {
            Some(id) if id == last => {}
            // Somebody deleted rows by hand, or put the clock back by more than is forgiven.
            Some(_) => lists.forget(&walk.list),
            None => {
                let is_closed = closed.is_some_and(|at| {
                    let end = at.plus_seconds(-self.settled_for);
                    *last < *ids::first_at(ids::prefix(last), end)
                });
                if is_closed {
                    lists.remember(walk.list, place, last, self.every);
                }
            }
        }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    /// The last remembered place that is not behind `offset`.
    fn nearest(&mut self, list: &str, offset: i64) -> Option<(i64, String)> {
        let list = self.by_name.get_mut(list)?;
        self.uses += 1;
        list.last_use = self.uses;
        let (place, id) = list.places.range(..=offset).next_back()?;
        Some((*place, id.clone()))
    }

    fn at(&self, list: &str, place: i64) -> Option<&str> {
        let id = self.by_name.get(list)?.places.get(&place)?;
        Some(id)
    }

    fn forget(&mut self, list: &str) {
        let places = self
            .by_name
            .remove(list)
            .map_or(0, |list| list.places.len());
        self.places -= places;
    }

    fn remember(&mut self, name: String, place: i64, id: &str, every: i64) {
        self.uses += 1;
        let list = self.by_name.entry(name).or_insert_with(|| List {
            every,
            last_use: 0,
            places: BTreeMap::new(),
        });
        list.last_use = self.uses;
        let before = list.places.len();
        list.remember(place, id);
        self.places = self.places + list.places.len() - before;
        while self.places > MOST {
            let unused = self.by_name.iter().min_by_key(|(_, list)| list.last_use);
            let Some(name) = unused.map(|(name, _)| name.clone()) else {
                return;
            };
            self.forget(&name);
        }
    }
}

impl List {
    fn remember(&mut self, place: i64, id: &str) {
        let before = self.places.range(..place).next_back();
        if place - before.map_or(0, |(place, _)| *place) < self.every {
            return;
        }
        self.places.insert(place, id.to_owned());
        // A walk backwards leaves places close together; a very long list has more than there is room for.
        while self.places.len() > MOST_IN_A_LIST {
            self.thin_out();
            if self.places.len() > MOST_IN_A_LIST / 2 {
                self.every = self.every.saturating_mul(2);
            }
        }
    }

    fn thin_out(&mut self) {
        let (mut last, every) = (0, self.every);
        self.places.retain(|place, _| {
            let keep = place - last >= every;
            if keep {
                last = *place;
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_705_314_600_000_000);

    fn page(offset: i64, limit: i64) -> Page {
        Page {
            limit,
            offset,
            order: Order::Asc,
            after: None,
            before: None,
        }
    }

    fn id(row: i64) -> String {
        ids::first_at("ref", Timestamp::from_micros(row))
    }

    /// Loads a page of a list in which the row at each place is known; how many rows had to be passed over.
    fn load(positions: &Positions, list: &str, offset: i64, limit: i64) -> i64 {
        match positions.begin(list.to_owned(), &page(offset, limit)) {
            None => offset,
            Some(walk) => {
                let passed = walk.page.offset;
                let from = walk.page.after.clone().map_or(0, |after| {
                    (0..=offset).rev().find(|row| id(*row) == after).unwrap()
                });
                assert_eq!(from + passed, offset, "the same rows");
                let rows = usize::try_from(limit).unwrap();
                positions.end(walk, rows, &id(offset + limit), Some(NOW));
                passed
            }
        }
    }

    #[test]
    fn a_walk_passes_over_few_rows() {
        let positions = Positions::new(1000, 10);
        for offset in (0..50_000).step_by(100) {
            assert!(load(&positions, "a", offset, 100) < 1000, "{offset}");
        }
        assert_eq!(positions.lists().places, 50);
        assert_eq!(load(&positions, "a", 33_333, 100), 333);
        assert_eq!(load(&positions, "b", 33_333, 100), 33_333, "another list");
        assert_eq!(load(&positions, "b", 33_433, 100), 0, "remembered at once");
    }

    #[test]
    fn only_what_is_counted_from_the_front_is_shortened() {
        let positions = Positions::new(10, 10);
        load(&positions, "a", 0, 20);
        let (mut newest, mut cursor) = (page(50, 10), page(50, 10));
        newest.order = Order::Desc;
        cursor.after = Some(id(1));
        assert!(positions.begin("a".to_owned(), &newest).is_none());
        assert!(positions.begin("a".to_owned(), &cursor).is_none());
        assert!(
            positions
                .begin("a".to_owned(), &page(i64::MAX, 1000))
                .is_some()
        );
    }

    #[test]
    fn what_is_not_closed_is_not_remembered() {
        let positions = Positions::new(10, 10);
        let ten_seconds_ago = ids::first_at("ref", NOW.plus_seconds(-10));
        for (last, closed, remembered) in [
            (&*id(1), None, 0),
            (&*ten_seconds_ago, Some(NOW), 0),
            ("ref_zzzzzz", Some(NOW), 0),
            (&*id(1), Some(NOW), 1),
        ] {
            let walk = positions.begin("a".to_owned(), &page(0, 10)).unwrap();
            assert!(walk.goes_far);
            positions.end(walk, 10, last, closed);
            assert_eq!(positions.lists().places, remembered, "{last}");
        }
    }

    #[test]
    fn a_contradiction_makes_it_forget_the_list() {
        let positions = Positions::new(10, 10);
        load(&positions, "a", 0, 10);
        load(&positions, "a", 10, 10);
        load(&positions, "b", 0, 10);
        let walk = positions.begin("a".to_owned(), &page(10, 10)).unwrap();
        positions.end(walk, 10, &id(21), Some(NOW));
        assert_eq!(positions.lists().places, 1, "the other list's");
        assert!(positions.lists().nearest("a", 100).is_none());
    }

    #[test]
    fn a_long_list_keeps_places_further_apart() {
        let positions = Positions::new(10, 10);
        let far = 10 * 10_000;
        for offset in (0..far).step_by(10) {
            load(&positions, "a", offset, 10);
            assert!(positions.lists().places <= MOST_IN_A_LIST);
        }
        for offset in (0..far).step_by(7001) {
            assert!(load(&positions, "a", offset, 1) <= 320, "{offset}");
        }
        // Backwards, every page ends where none is known before it.
        let positions = Positions::new(10, 10);
        for offset in (0..5000).rev() {
            load(&positions, "a", offset, 10);
            assert!(positions.lists().places <= MOST_IN_A_LIST);
        }
    }

    #[test]
    fn the_list_that_was_longest_unused_is_forgotten_first() {
        let positions = Positions::new(10, 10);
        let first = |list: usize| load(&positions, &list.to_string(), 10, 1);
        for list in 0..MOST {
            load(&positions, &list.to_string(), 0, 10);
        }
        assert_eq!(positions.lists().places, MOST);
        assert_eq!(first(0), 0, "used again");
        load(&positions, "one more", 0, 10);
        assert_eq!(positions.lists().places, MOST);
        assert_eq!((first(0), first(2), first(1)), (0, 0, 10));
    }
}
