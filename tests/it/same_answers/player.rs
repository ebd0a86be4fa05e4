//! Plays a sequence on the model and on both databases, and finds the shortest one that goes wrong.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::Value;

use super::model::{Expected, Kind, Op, Request, World};
use crate::support::{Answer, Database, TestApp};

const SETTINGS: [(&str, &str); 1] = [("HANDBILL_PUBLIC_URL", "https://go.example.com")];

/// How often a shorter sequence is tried.
const TRIES: usize = 60;

/// Where a sequence went wrong, and how.
#[derive(Debug)]
pub struct Wrong {
    pub at: usize,
    pub how: String,
}

/// A server, and what the model calls the things on it.
struct Side {
    app: TestApp,
    ids: HashMap<String, String>,
    names: HashMap<String, String>,
}

/// Plays all of `ops` on two new databases, with a model that may have a mistake in it on purpose.
pub async fn play(ops: &[Op], is_wrong: bool) -> Result<(), Wrong> {
    let mut sides = Vec::new();
    for database in [Database::sqlite(), Database::postgres()] {
        sides.push(Side {
            app: TestApp::start_with(database, &SETTINGS).await,
            ids: HashMap::new(),
            names: HashMap::new(),
        });
    }
    let mut world = World::new(is_wrong);
    let mut outcome = Ok(());
    for (at, op) in ops.iter().enumerate() {
        // Ids are in the order of time, and what happens at the same moment has no order.
        for side in &sides {
            side.app.wait(1);
        }
        let now = sides[0].app.app.clock.now().to_string();
        let before = world.count(Kind::Program) + 1;
        let numbers: HashMap<Kind, usize> = super::model::KINDS
            .into_iter()
            .map(|kind| (kind, world.count(kind)))
            .collect();
        let Some((request, expected)) = world.play(op, &now) else {
            continue;
        };
        let mut told = Vec::new();
        for side in &mut sides {
            let number = request.makes.map_or(before, |kind| numbers[&kind]);
            let answer = side.ask(&request).await;
            told.push(side.translated(&request, number, &answer));
            if let Err(how) = fits(&expected, &answer, told.last().expect("an answer")) {
                outcome = Err(Wrong {
                    at,
                    how: format!("{request:?}\n  {how}"),
                });
            }
        }
        if outcome.is_ok() && told[0] != told[1] {
            let how = format!(
                "{request:?}\n  SQLite     {}\n  PostgreSQL {}",
                told[0], told[1]
            );
            outcome = Err(Wrong { at, how });
        }
        if outcome.is_err() {
            break;
        }
    }
    for side in sides {
        side.app.stop().await;
    }
    outcome
}

/// A shorter sequence that goes wrong too, as far as a few tries find one.
pub async fn shrunk(ops: &[Op], wrong: Wrong, is_wrong: bool) -> (Vec<Op>, Wrong) {
    let (mut ops, mut wrong) = (ops[..=wrong.at].to_vec(), wrong);
    let mut tries = 0;
    let mut piece = ops.len() / 2;
    while piece > 0 && tries < TRIES {
        let mut from = 0;
        while from < ops.len() && tries < TRIES {
            let without: Vec<Op> = ops[..from]
                .iter()
                .chain(ops.iter().skip(from + piece))
                .cloned()
                .collect();
            tries += 1;
            match play(&without, is_wrong).await {
                Err(other) => {
                    ops = without[..=other.at].to_vec();
                    wrong = other;
                }
                Ok(()) => from += piece,
            }
        }
        piece /= 2;
    }
    (ops, wrong)
}

impl Side {
    async fn ask(&self, request: &Request) -> Answer {
        let path = self.with_ids(&format!("/api/v1/{}", request.path));
        let body = request
            .body
            .as_ref()
            .map(|body| self.with_ids(&body.to_string()));
        let method: Method = request.method.parse().expect("a method");
        self.app.send(method, &path, &[], body).await
    }

    fn with_ids(&self, text: &str) -> String {
        let mut pieces = text.split('<');
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('>').expect("a name");
            out.push_str(&self.ids[name]);
            out.push_str(rest);
        }
        out
    }

    /// The answer in the model's words: known ids are names, and what is drawn by lot is left out.
    fn translated(&mut self, request: &Request, number: usize, answer: &Answer) -> String {
        let text = answer.text();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if let (Some(_), 200, Some(id)) = (request.makes, answer.status, body["id"].as_str())
            && !self.names.contains_key(id)
        {
            let name = format!("{} {number}", id.split('_').next().unwrap_or_default());
            self.ids.insert(name.clone(), id.to_owned());
            self.names.insert(id.to_owned(), name);
        }
        let mut out = format!(
            "{} {:?} ",
            answer.status,
            answer.header("idempotent-replayed")
        );
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for piece in text.split_inclusive(|c| !is_word(c)) {
            let word = piece.trim_end_matches(|c| !is_word(c));
            let is_code = word.len() == 10
                && word
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            match self.names.get(word) {
                Some(name) => out.extend(["<", name, ">"]),
                None if is_code => out.push_str("CODE"),
                None if word.starts_with("req_") => out.push_str("REQUEST"),
                None => out.push_str(word),
            }
            out.push_str(&piece[word.len()..]);
        }
        out
    }
}

/// Whether an answer is what the model says.
fn fits(expected: &Expected, answer: &Answer, told: &str) -> Result<(), String> {
    let body = told.splitn(3, ' ').nth(2).unwrap_or_default();
    let body: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {told}"))?;
    let wrong = |what: &str| {
        Err(format!(
            "{what}\n  expected {expected:?}\n  told     {told}"
        ))
    };
    match expected {
        Expected::Refused(status, code) if answer.status != *status || body["code"] != *code => {
            wrong("another refusal")
        }
        Expected::Refused(..) => Ok(()),
        _ if answer.status != 200 => wrong("refused"),
        Expected::Object(said, replayed) => {
            match (has(&body, said), answer.is_replay() == *replayed) {
                (Some(field), _) => wrong(&field),
                (None, false) => wrong("made once more, or not"),
                _ => Ok(()),
            }
        }
        Expected::Page {
            items,
            limit,
            offset,
            has_more,
        } => {
            let frame = (&body["limit"], &body["offset"], &body["has_more"]);
            if frame != (&(*limit).into(), &(*offset).into(), &(*has_more).into()) {
                return wrong("another page");
            }
            let list = body
                .as_object()
                .and_then(|body| body.values().find_map(Value::as_array));
            let list = list.ok_or("no list")?;
            if list.len() != items.len() {
                return wrong("another number of items");
            }
            match list
                .iter()
                .zip(items)
                .find_map(|(one, said)| has(one, said))
            {
                Some(field) => wrong(&field),
                None => Ok(()),
            }
        }
    }
}

/// The first field that is not as it was said.
fn has(object: &Value, said: &Value) -> Option<String> {
    let said = said.as_object().expect("an object");
    said.iter()
        .find(|(field, value)| object.get(field) != Some(value))
        .map(|(field, value)| format!("{field} should be {value}"))
}
