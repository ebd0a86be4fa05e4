//! What is remembered of long lists, and what is forgotten.

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
