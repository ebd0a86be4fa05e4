//! What the documents say, in a few lists in memory: it knows neither the database nor our code. Things are called
//! `<referral 3>` here; whoever plays knows their ids.

use std::collections::HashMap;

use serde_json::{Value, json};

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Program,
    User,
    Poster,
    Scan,
    Referral,
    Earning,
}

pub const KINDS: [Kind; 6] = [
    Kind::Program,
    Kind::User,
    Kind::Poster,
    Kind::Scan,
    Kind::Referral,
    Kind::Earning,
];

impl Kind {
    /// Where it lives, and what its list is called.
    pub fn path(self) -> &'static str {
        [
            "programs",
            "users",
            "posters",
            "impressions",
            "referrals",
            "earnings",
        ][self as usize]
    }

    fn prefix(self) -> &'static str {
        ["prog", "user", "poster", "imp", "ref", "earn"][self as usize]
    }
}

/// A request. Numbers point at what there is, round and round, so that any part of a sequence is a sequence.
#[derive(Debug, Clone)]
pub enum Op {
    Launch {
        key: Option<u8>,
    },
    Pause {
        program: usize,
        paused: bool,
    },
    Enrol {
        program: usize,
        person: u8,
        key: Option<u8>,
    },
    Hang {
        user: usize,
        place: u8,
        key: Option<u8>,
    },
    Scan {
        poster: usize,
        key: Option<u8>,
    },
    SignUp {
        scan: usize,
        person: u8,
        key: Option<u8>,
    },
    Decide {
        referral: usize,
        to: usize,
    },
    Rename {
        referral: usize,
        person: u8,
    },
    Tag {
        referral: usize,
        key: u8,
        value: Option<u8>,
    },
    Earn {
        referral: usize,
        amount: u8,
        key: Option<u8>,
    },
    Get {
        kind: usize,
        which: usize,
    },
    List {
        kind: usize,
        by: usize,
        which: usize,
        status: usize,
        limit: usize,
        offset: u8,
        desc: bool,
        after: Option<usize>,
    },
}

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

    fn is_paused(&self, program: &str) -> bool {
        let programs = self.all(Kind::Program).iter();
        programs
            .clone()
            .any(|thing| thing.said["id"] == program && thing.said["status"] == "paused")
    }

    fn enrol(
        &mut self,
        program: usize,
        person: u8,
        key: Option<u8>,
        now: &str,
    ) -> (Request, Expected) {
        let program = name(Kind::Program, program);
        let first = NAMES[usize::from(person) % 5];
        let body = json!({ "program_id": program, "first_name": first, "last_name": "X", "email": format!("u{person}@Example.com") });
        let mut said = body.clone();
        for (field, value) in [
            ("profile_picture", json!(null)),
            ("created_at", json!(now)),
            ("updated_at", json!(now)),
            ("metadata", json!({})),
        ] {
            said[field] = value;
        }
        let thing = match self.is_paused(&program) {
            true => Err((409, "program_paused")),
            false => Ok(Thing {
                said,
                of: HashMap::from([("programId", program.clone())]),
            }),
        };
        self.make(Kind::User, key, &format!("{program}{person}"), body, thing)
    }

    fn hang(&mut self, user: usize, place: u8, key: Option<u8>, now: &str) -> (Request, Expected) {
        let program = self.all(Kind::User)[user].of["programId"].clone();
        let student = name(Kind::User, user);
        let location = (place > 0).then(|| format!("Wall {place}"));
        let body = json!({ "student_id": student, "location": location });
        let said = json!({
            "program_id": program, "student_id": student, "location": location, "landing_url": null, "status": "active",
            "created_at": now, "updated_at": now, "metadata": {},
        });
        let of = HashMap::from([
            ("programId", program.clone()),
            ("studentId", student.clone()),
        ]);
        let thing = match self.is_paused(&program) {
            true => Err((409, "program_paused")),
            false => Ok(Thing { said, of }),
        };
        self.make(Kind::Poster, key, &format!("{student}{place}"), body, thing)
    }

    fn scan(&mut self, poster: usize, key: Option<u8>, now: &str) -> (Request, Expected) {
        let of = self.all(Kind::Poster)[poster].of.clone();
        let id = name(Kind::Poster, poster);
        let said = json!({
            "poster_id": id, "program_id": of["programId"], "student_id": of["studentId"], "scanned_at": now,
            "user_agent": null, "ip_address": null, "metadata": {},
        });
        let mut of = of;
        of.insert("posterId", id.clone());
        self.make(
            Kind::Scan,
            key,
            &id,
            json!({ "poster_id": id }),
            Ok(Thing { said, of }),
        )
    }

    fn sign_up(
        &mut self,
        scan: usize,
        person: u8,
        key: Option<u8>,
        now: &str,
    ) -> (Request, Expected) {
        // Now and then nobody has scanned that.
        let known = (!scan.is_multiple_of(9))
            .then(|| self.pick(Kind::Scan, scan))
            .flatten();
        let id = known.map_or("imp_unknown".to_owned(), |(number, _)| {
            name(Kind::Scan, number)
        });
        let first = NAMES[usize::from(person) % 5];
        let body = json!({ "impression_id": id, "first_name": first, "last_name": "Y", "email": format!("P{person}@example.com") });
        let thing = known.map(|(_, scan)| {
            let mut said = body.clone();
            for (field, value) in [
                ("program_id", scan.said["program_id"].clone()),
                ("student_id", scan.said["student_id"].clone()),
                ("status", json!("pending")),
                ("profile_picture", json!(null)),
                ("verified_at", json!(null)),
                ("created_at", json!(now)),
                ("updated_at", json!(now)),
                ("metadata", json!({})),
            ] {
                said[field] = value;
            }
            let of = ["programId", "studentId"].map(|field| (field, scan.of[field].clone()));
            Thing {
                said,
                of: HashMap::from(of),
            }
        });
        self.make(
            Kind::Referral,
            key,
            &format!("{id}{person}"),
            body,
            thing.ok_or((400, "invalid_request")),
        )
    }

    /// Referrals with an even number may earn and are not rejected: what that means for money is another model's matter.
    fn decide(
        &mut self,
        referral: usize,
        to: &'static str,
        now: &str,
    ) -> Option<(Request, Expected)> {
        let (number, thing) = self.pick(Kind::Referral, referral)?;
        let from = thing.said["status"].as_str().expect("a status").to_owned();
        if number.is_multiple_of(2) && to == "rejected" {
            return None;
        }
        let body = json!({ "status": to });
        if from != to && !moves(&from).contains(&to) {
            let path = format!("referrals/{}", name(Kind::Referral, number));
            let request = Request {
                method: "PUT",
                path,
                body: Some(body),
                makes: None,
            };
            return Some((request, Expected::Refused(409, "forbidden_transition")));
        }
        Some(self.change(Kind::Referral, number, body, now, |said| {
            if from != to {
                said["status"] = json!(to);
                if to == "verified" {
                    said["verified_at"] = json!(now);
                } else if from == "rejected" {
                    said["verified_at"] = json!(null);
                }
            }
        }))
    }

    fn earn(
        &mut self,
        referral: usize,
        amount: u8,
        key: Option<u8>,
        now: &str,
    ) -> Option<(Request, Expected)> {
        let (number, thing) = self.pick(Kind::Referral, referral)?;
        let rejected = thing.said["status"] == "rejected";
        if !number.is_multiple_of(2) && !rejected {
            return None;
        }
        let amount = u64::from(amount) + 1;
        let id = name(Kind::Referral, number);
        let mut of = thing.of.clone();
        of.insert("referralId", id.clone());
        let said = json!({
            "referral_id": id, "amount": amount, "currency": "USD", "type": null, "description": null, "status": "pending",
            "reference_id": null, "created_at": now, "paid_at": null, "metadata": {},
        });
        let thing = match rejected {
            true => Err((409, "referral_rejected")),
            false => Ok(Thing { said, of }),
        };
        let body = json!({ "referral_id": id, "amount": amount });
        Some(self.make(Kind::Earning, key, &format!("{id}{amount}"), body, thing))
    }

    fn list(&self, op: &Op) -> (Request, Expected) {
        let Op::List {
            kind,
            by,
            which,
            status,
            limit,
            offset,
            desc,
            after,
        } = *op
        else {
            panic!("a list");
        };
        let kind = KINDS[kind % KINDS.len()];
        let mut query = Vec::new();
        let mut items: Vec<(usize, &Thing)> = self.all(kind).iter().enumerate().collect();
        if let Some((field, of)) = filters(kind).get(by % 5) {
            let known = (!which.is_multiple_of(6))
                .then(|| self.pick(*of, which))
                .flatten();
            let id = known.map_or("undefined".to_owned(), |(number, _)| name(*of, number));
            items.retain(|(_, thing)| thing.of[field] == id);
            query.push(format!("{field}={id}"));
        }
        let mut refused = false;
        if kind == Kind::Referral && status < 5 {
            let wanted = STATUSES.get(status).copied().unwrap_or("lost");
            refused = status == 4;
            items.retain(|(_, thing)| thing.said["status"] == wanted);
            query.push(format!("status={wanted}"));
        }
        if desc {
            if !self.is_wrong {
                items.reverse();
            }
            query.push("order=desc".to_owned());
        }
        let offset = if after.is_some() {
            0
        } else {
            usize::from(offset)
        };
        if let Some((number, _)) = after.and_then(|after| self.pick(kind, after)) {
            items.retain(|(other, _)| {
                if desc {
                    *other < number
                } else {
                    *other > number
                }
            });
            query.push(format!("after={}", name(kind, number)));
        }
        if offset > 0 {
            query.push(format!("offset={offset}"));
        }
        let (asked, limit) = [
            (None, 50),
            (Some(1), 1),
            (Some(2), 2),
            (Some(5), 5),
            (Some(5000), 1000),
            (Some(0), 0),
        ][limit % 6];
        refused |= limit == 0;
        query.extend(asked.map(|asked| format!("limit={asked}")));
        let path = format!("{}?{}", kind.path(), query.join("&"));
        let rest = items.len().saturating_sub(offset);
        let expected = match refused {
            true => Expected::Refused(400, "invalid_request"),
            false => Expected::Page {
                items: items
                    .iter()
                    .skip(offset)
                    .take(limit)
                    .map(|(_, thing)| thing.said.clone())
                    .collect(),
                limit,
                offset,
                has_more: rest > limit,
            },
        };
        (
            Request {
                method: "GET",
                path,
                body: None,
                makes: None,
            },
            expected,
        )
    }
}
