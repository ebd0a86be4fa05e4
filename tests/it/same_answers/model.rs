//! What the documents say, in a few lists in memory: it knows neither the database nor our code. Things are called
//! `<referral 3>` here; whoever plays knows their ids.

mod lists;
mod op;
mod verbs;

use std::collections::HashMap;

pub use op::{KINDS, Kind, Op};
use serde_json::{Value, json};

/// What is sent.
#[derive(Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Option<Value>,
    /// What a success makes.
    pub makes: Option<Kind>,
}

/// What has to come back.
#[derive(Debug)]
pub enum Expected {
    /// An object with at least these fields, and whether it was there before.
    Object(Value, bool),
    /// A status and its code.
    Refused(u16, &'static str),
    /// A page of objects with at least these fields.
    Page {
        items: Vec<Value>,
        limit: usize,
        offset: usize,
        has_more: bool,
    },
}

/// A thing: what its answers say, and what lists go by besides.
#[derive(Debug, Clone)]
struct Thing {
    said: Value,
    of: HashMap<&'static str, String>,
}

#[derive(Debug, Default)]
pub struct World {
    /// Whether the model has a mistake in it, on purpose.
    is_wrong: bool,
    things: HashMap<Kind, Vec<Thing>>,
    /// What a key made, and with what it has to be repeated.
    keys: HashMap<(Kind, u8), (String, usize)>,
}

const STATUSES: [&str; 4] = ["pending", "converted", "verified", "rejected"];
const NAMES: [&str; 5] = ["Zoë", "zoe", "Abel", "ß", "Åsa \u{1f393}"];

/// Where a referral's status may go.
fn moves(from: &str) -> &'static [&'static str] {
    match from {
        "pending" => &["converted", "verified", "rejected"],
        "converted" => &["verified", "rejected"],
        "verified" => &["converted", "rejected"],
        _ => &["pending"],
    }
}

/// What a list of them can be narrowed to.
fn filters(kind: Kind) -> &'static [(&'static str, Kind)] {
    match kind {
        Kind::Program => &[],
        Kind::User => &[("programId", Kind::Program)],
        Kind::Poster | Kind::Referral => &[("programId", Kind::Program), ("studentId", Kind::User)],
        Kind::Scan => &[
            ("programId", Kind::Program),
            ("studentId", Kind::User),
            ("posterId", Kind::Poster),
        ],
        Kind::Earning => &[
            ("programId", Kind::Program),
            ("studentId", Kind::User),
            ("referralId", Kind::Referral),
        ],
    }
}

fn name(kind: Kind, number: usize) -> String {
    format!("<{} {number}>", kind.prefix())
}

impl World {
    /// An empty one.
    pub fn new(is_wrong: bool) -> Self {
        Self {
            is_wrong,
            ..Self::default()
        }
    }

    fn all(&self, kind: Kind) -> &[Thing] {
        self.things.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// How many there are: the number of the next.
    pub fn count(&self, kind: Kind) -> usize {
        self.all(kind).len()
    }

    fn pick(&self, kind: Kind, which: usize) -> Option<(usize, &Thing)> {
        let all = self.all(kind);
        let number = which.checked_rem(all.len())?;
        Some((number, &all[number]))
    }

    /// What `op` sends, and what comes back at the moment `now`. None: there is nothing yet that it could be about.
    pub fn play(&mut self, op: &Op, now: &str) -> Option<(Request, Expected)> {
        match *op {
            Op::Launch { key } => {
                let body = json!({ "name": "P", "landing_url": "https://example.com/" });
                let said = json!({
                    "name": "P", "description": null, "landing_url": "https://example.com/", "commission_rate": 0,
                    "payout_schedule": "manual", "minimum_payout": 0, "payout_currency": "USD", "available_when": "verified",
                    "hold_days": 30, "converted_by": "conversion", "status": "active", "created_at": now, "updated_at": now,
                });
                let of = HashMap::new();
                Some(self.make(Kind::Program, key, "", body, Ok(Thing { said, of })))
            }
            Op::Pause { program, paused } => {
                let to = if paused { "paused" } else { "active" };
                let (number, _) = self.pick(Kind::Program, program)?;
                Some(self.change(
                    Kind::Program,
                    number,
                    json!({ "status": to }),
                    now,
                    |said| {
                        said["status"] = json!(to);
                    },
                ))
            }
            Op::Enrol {
                program,
                person,
                key,
            } => Some(self.enrol(self.pick(Kind::Program, program)?.0, person, key, now)),
            Op::Hang { user, place, key } => {
                Some(self.hang(self.pick(Kind::User, user)?.0, place, key, now))
            }
            Op::Scan { poster, key } => {
                Some(self.scan(self.pick(Kind::Poster, poster)?.0, key, now))
            }
            Op::SignUp { scan, person, key } => Some(self.sign_up(scan, person, key, now)),
            Op::Decide { referral, to } => self.decide(referral, STATUSES[to % 4], now),
            Op::Rename { referral, person } => {
                let (number, _) = self.pick(Kind::Referral, referral)?;
                let first = NAMES[usize::from(person) % 5];
                Some(self.change(
                    Kind::Referral,
                    number,
                    json!({ "first_name": first }),
                    now,
                    |said| {
                        said["first_name"] = json!(first);
                    },
                ))
            }
            Op::Tag {
                referral,
                key,
                value,
            } => {
                let (number, _) = self.pick(Kind::Referral, referral)?;
                let key = format!("k{}", key % 3);
                let body = json!({ "metadata": { key.clone(): value } });
                Some(self.change(Kind::Referral, number, body, now, |said| {
                    let kept = said["metadata"].as_object_mut().expect("an object");
                    match value {
                        None => drop(kept.shift_remove(&key)),
                        Some(value) => drop(kept.insert(key.clone(), json!(value))),
                    }
                }))
            }
            Op::Earn {
                referral,
                amount,
                key,
            } => self.earn(referral, amount, key, now),
            Op::Get { kind, which } => {
                let kind = KINDS[kind % KINDS.len()];
                // Now and then nobody has it.
                let known = (!which.is_multiple_of(7))
                    .then(|| self.pick(kind, which))
                    .flatten();
                let id = known.map_or(format!("{}_unknown", kind.prefix()), |(number, _)| {
                    name(kind, number)
                });
                let expected = match known {
                    Some((_, thing)) => Expected::Object(thing.said.clone(), false),
                    None => Expected::Refused(404, "not_found"),
                };
                let path = format!("{}/{id}", kind.path());
                Some((
                    Request {
                        method: "GET",
                        path,
                        body: None,
                        makes: None,
                    },
                    expected,
                ))
            }
            Op::List { .. } => Some(self.list(op)),
        }
    }

    /// A create: what a key made before is the answer, if it was for the same; then what is in the way; then it is made.
    fn make(
        &mut self,
        kind: Kind,
        key: Option<u8>,
        same: &str,
        mut body: Value,
        thing: Result<Thing, (u16, &'static str)>,
    ) -> (Request, Expected) {
        if let Some(key) = key {
            body["idempotency_key"] = json!(format!("Key {key}"));
        }
        let request = Request {
            method: "POST",
            path: kind.path().to_owned(),
            body: Some(body),
            makes: Some(kind),
        };
        if let Some((kept, number)) = key.and_then(|key| self.keys.get(&(kind, key))) {
            let expected = match kept == same {
                true => Expected::Object(self.all(kind)[*number].said.clone(), true),
                false => Expected::Refused(409, "idempotency_key_reused"),
            };
            return (request, expected);
        }
        let expected = match thing {
            Err((status, code)) => Expected::Refused(status, code),
            Ok(mut thing) => {
                let number = self.count(kind);
                thing.said["id"] = json!(name(kind, number));
                if let Some(key) = key {
                    self.keys.insert((kind, key), (same.to_owned(), number));
                }
                self.things.entry(kind).or_default().push(thing.clone());
                Expected::Object(thing.said, false)
            }
        };
        (request, expected)
    }

    /// An update: what changes nothing leaves even `updated_at`.
    fn change(
        &mut self,
        kind: Kind,
        number: usize,
        body: Value,
        now: &str,
        change: impl FnOnce(&mut Value),
    ) -> (Request, Expected) {
        let path = format!("{}/{}", kind.path(), name(kind, number));
        let said = &mut self.things.get_mut(&kind).expect("things")[number].said;
        let before = said.clone();
        change(said);
        if *said != before {
            said["updated_at"] = json!(now);
        }
        let expected = Expected::Object(said.clone(), false);
        (
            Request {
                method: "PUT",
                path,
                body: Some(body),
                makes: None,
            },
            expected,
        )
    }
}
