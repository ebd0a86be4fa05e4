//! docs/promises.md says which test proves which promise; this says whether there is such a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all tests: in `tests/it`, and beside the code.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file");
            let names = text
                .lines()
                .filter_map(|line| line.trim_start().split_once("fn "))
                .filter(|(before, _)| before.is_empty() || *before == "async ")
                .filter_map(|(_, rest)| rest.split_once('('));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_promise_names_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = BTreeSet::new();
    tests(&root.join("tests/it"), &mut known);
    tests(&root.join("src"), &mut known);
    let table = fs::read_to_string(root.join("docs/promises.md")).expect("the promises");
    let (mut named, mut unproved) = (0, 0);
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [promise, tests, figure] = cells[..] else {
            panic!("a row has a promise, its tests, and a figure: {line}");
        };
        if tests.trim() == "the tests" || tests.trim_start().starts_with("---") {
            continue;
        }
        if tests.trim() == "**not yet**" {
            unproved += 1;
            assert!(!figure.trim().is_empty(), "say what is missing: {promise}");
            continue;
        }
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(
            !names.is_empty(),
            "a promise without a test says so: {promise}"
        );
        for name in names {
            assert!(known.contains(name), "there is no test {name}");
            named += 1;
        }
    }
    assert!(named > 60, "{named} tests, {unproved} promises without one");
}
