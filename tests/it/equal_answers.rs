//! One story told to both databases: the answers are equal byte for byte, but for ids.

mod stories;

use std::collections::HashMap;

use crate::support::{Answer, Database, TestApp};
use stories::tell;

/// Everything an answer says, with each id replaced by its number in the order of appearance.
struct Transcript {
    text: String,
    ids: HashMap<String, usize>,
}

impl Transcript {
    fn note(&mut self, what: &str, answer: &Answer) {
        let mut line = format!(
            "{what} {} {:?} ",
            answer.status,
            answer.header("idempotent-replayed")
        );
        line.push_str(&answer.text());
        let mut kept = String::new();
        for word in line.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            let (id, rest) = word.split_at(
                word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .len(),
            );
            let ours = id.split_once('_').is_some_and(|(prefix, tail)| {
                [
                    "prog", "user", "poster", "imp", "ref", "earn", "key", "req", "conv", "refund",
                    "tr", "coll", "payout", "cust", "evt",
                ]
                .contains(&prefix)
                    && tail.len() == 20
            });
            let code = id.len() == 10
                && id
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            if ours || code {
                let next = self.ids.len();
                let number = *self.ids.entry(id.to_owned()).or_insert(next);
                kept.push('#');
                kept.push_str(&number.to_string());
            } else {
                kept.push_str(id);
            }
            kept.push_str(rest);
        }
        self.text.push_str(&kept);
        self.text.push('\n');
    }
}

#[actix_web::test]
async fn both_databases_answer_the_same_bytes() {
    let mut told = Vec::new();
    for database in [Database::sqlite(), Database::postgres()] {
        // Both say their URLs alike.
        let app = TestApp::start_with(
            database,
            &[("HANDBILL_PUBLIC_URL", "https://go.example.com")],
        )
        .await;
        told.push(tell(&app).await);
        app.stop().await;
    }
    assert!(told[0].lines().count() > 130, "{}", told[0].lines().count());
    for (one, two) in told[0].lines().zip(told[1].lines()) {
        assert_eq!(one, two);
    }
    assert_eq!(told[0], told[1]);
}
