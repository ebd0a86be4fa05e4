//! What each operation does to the world.

use std::collections::HashMap;

use super::{Expected, Kind, NAMES, Request, Thing, World, moves, name};
use serde_json::json;

impl World {
    pub fn is_paused(&self, program: &str) -> bool {
        let programs = self.all(Kind::Program).iter();
        programs
            .clone()
            .any(|thing| thing.said["id"] == program && thing.said["status"] == "paused")
    }

    pub fn enrol(
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

    pub fn hang(
        &mut self,
        user: usize,
        place: u8,
        key: Option<u8>,
        now: &str,
    ) -> (Request, Expected) {
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

    pub fn scan(&mut self, poster: usize, key: Option<u8>, now: &str) -> (Request, Expected) {
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

    pub fn sign_up(
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
    pub fn decide(
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

    pub fn earn(
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
}
