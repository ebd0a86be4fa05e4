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
mod tests;
