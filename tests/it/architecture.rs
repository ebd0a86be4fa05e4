//! The architecture, held by reading the source: who may mention what, and how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

/// (word, the only places that may mention it, why)
const RULES: [(&str, &[&str], &str); 5] = [
    (
        "actix_web",
        &[
            "routes.rs",
            "/http/",
            "/app.rs",
            "/error.rs",
            "/cli/",
            "/authenticate.rs",
            "/db/mod.rs",
            "/dialects/",
        ],
        "HTTP stays at the edge",
    ),
    (
        "diesel::",
        &[
            "queries.rs",
            "/model.rs",
            "/secret.rs",
            "/db/",
            "/ids.rs",
            "/ids/account.rs",
            "/clock.rs",
            "/money.rs",
            "/text.rs",
            "/metadata.rs",
            "/error/database.rs",
        ],
        "statements stand in queries.rs; types that are columns derive their column",
    ),
    ("Utc::now", &["/clock.rs"], "ask the clock"),
    (
        "env::var",
        &["/config.rs"],
        "config.rs reads the environment",
    ),
    ("unwrap()", &["/tests.rs"], "failures are answers"),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A source file without its comments and its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&root)
        .into_iter()
        .map(|path| {
            (
                format!(
                    "/{}",
                    path.strip_prefix(&root).expect("below src").display()
                ),
                code(&path),
            )
        })
        .collect()
}

#[test]
fn every_word_stands_only_where_it_may() {
    let mut broken = Vec::new();
    for (name, code) in all() {
        for (word, places, why) in RULES {
            let may = places
                .iter()
                .any(|place| name.contains(place) || name.ends_with(place));
            if code.contains(word) && !may {
                broken.push(format!("{name} mentions {word}: {why}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// The money direction: a noun's verbs may call verbs further down the list, never further up.
#[test]
fn verbs_call_only_towards_the_money() {
    let nouns = [
        "copies",
        "erasures",
        "accounts",
        "api_keys",
        "invitations",
        "programs",
        "ambassadors",
        "posters",
        "impressions",
        "conversions",
        "refunds",
        "referrals",
        "introductions",
        "customers",
        "coupons",
        "payouts",
        "earnings",
        "rules",
        "ledger",
        "stats",
        "webhooks",
        "events",
        "acts",
        "replies",
        "audit",
    ];
    let reading = ["model", "queries", "view"];
    let mut broken = Vec::new();
    for (name, code) in all() {
        let Some(own) = nouns
            .iter()
            .position(|noun| name.starts_with(&format!("/{noun}/")))
        else {
            continue;
        };
        if name.ends_with("routes.rs") {
            continue;
        }
        for (other, noun) in nouns.iter().enumerate().take(own) {
            for mention in code.split(&format!("{noun}::")).skip(1) {
                let what: String = mention
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let statement_of_a_table =
                    name.ends_with("queries.rs") || name.ends_with("model.rs");
                if !reading.contains(&&*what) && !statement_of_a_table {
                    broken.push(format!("{name} calls {noun}::{what}, {other} before {own}"));
                }
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_database_and_http_know_no_noun() {
    let mut broken = Vec::new();
    for (name, code) in all() {
        if !(name.starts_with("/db/") || name.starts_with("/http/")) || name.contains("/schema") {
            continue;
        }
        for noun in [
            "copies",
            "erasures",
            "acts",
            "accounts",
            "api_keys",
            "invitations",
            "programs",
            "ambassadors",
            "posters",
            "impressions",
            "conversions",
            "refunds",
            "referrals",
            "introductions",
            "customers",
            "coupons",
            "payouts",
            "earnings",
            "rules",
            "ledger",
            "stats",
            "webhooks",
            "events",
            "replies",
            "audit",
            "dialects",
        ] {
            if code.contains(&format!("crate::{noun}")) {
                broken.push(format!("{name} knows {noun}"));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_is_for_and_is_one_idea_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "benches"].map(|folder| sources(&root.join(folder)));
    for path in folders.into_iter().flatten() {
        let text = fs::read_to_string(&path).expect("a file");
        assert!(
            text.starts_with("//! "),
            "{} begins with what it is for",
            path.display()
        );
        let lines = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .lines()
            .count();
        assert!(lines <= 300, "{} has {lines} lines", path.display());
    }
}
