//! The story: a campus programme in January 2024. Two ambassadors with six posters; two weeks of scans; some
//! people sign up, some of those buy, some are verified or rejected, and the ambassadors earn.
//!
//! It is told through the same verbs that requests use.

use serde_json::{Map, Value, json};

use crate::accounts;
use crate::ambassadors::enrol::enrol;
use crate::ambassadors::model::NewAmbassador;
use crate::api_keys::issue::issue;
use crate::api_keys::model::Secret;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::earnings::accrue::accrue;
use crate::earnings::model::{EarningChanges, EarningStatus, NewEarning};
use crate::earnings::settle::settle;
use crate::error::Error;
use crate::ids::{AccountId, ApiKeyId, EarningId, Id, ImpressionId, ReferralId};
use crate::impressions::model::NewImpression;
use crate::impressions::record::record as record_scan;
use crate::metadata::Metadata;
use crate::money::{BasisPoints, Cents, Currency};
use crate::parse::Parse;
use crate::posters::hang::hang;
use crate::posters::model::{NewPoster, PosterCode};
use crate::programs::launch::launch;
use crate::programs::model::{NewProgram, PayoutSchedule, ProgramStatus};
use crate::referrals::decide::decide;
use crate::referrals::model::{NewReferral, ReferralChanges, ReferralStatus};
use crate::referrals::record::record as record_signup;
use crate::text::{Line, Paragraph};

const CODE: &str = "DCMP74X9KT";

/// Tells the story into an empty database. The code of the first poster.
pub(super) fn tell(conn: &mut DbConnection) -> Result<String, Error> {
    let mut teller = Teller::settle_in(conn)?;
    teller.program()?;
    teller.ambassador("user_123abc", "Alice", "2024-01-08T09:00:00Z")?;
    teller.ambassador("user_456def", "Bob", "2024-01-09T13:00:00Z")?;
    for (id, code, student, location) in [
        ("poster_123abc", CODE, "user_123abc", "Library, first floor"),
        (
            "poster_234bcd",
            "H3KM9QRW4T",
            "user_123abc",
            "Campus centre, notice board",
        ),
        ("poster_345cde", "NP7XDC4FJT", "user_123abc", "Gym entrance"),
        (
            "poster_456def",
            "W9TRQ3MKHC",
            "user_456def",
            "Dormitory B, kitchen",
        ),
        (
            "poster_567efg",
            "7JFX4PCNDW",
            "user_456def",
            "Cafeteria, queue",
        ),
        (
            "poster_678fgh",
            "QT3RW9HMKX",
            "user_456def",
            "Bus stop, main gate",
        ),
    ] {
        teller.poster(id, code, student, location)?;
    }
    teller.the_documents_rows()?;
    teller.two_more_weeks()?;
    Ok(CODE.to_owned())
}

struct Teller<'a> {
    conn: &'a mut DbConnection,
    account: AccountId,
    key: ApiKeyId,
}

impl<'a> Teller<'a> {
    fn settle_in(conn: &'a mut DbConnection) -> Result<Self, Error> {
        let now = at("2024-01-05T08:00:00Z")?;
        let account = accounts::open::open(conn, &AccountId::new(now), &parsed("demo")?, now)?.id;
        let key = ApiKeyId::new(now);
        let secret = Secret::presented(super::KEY);
        issue(
            conn,
            &account,
            &key,
            &parsed("the documents' key")?,
            &secret,
            now,
        )?;
        Ok(Self { conn, account, key })
    }

    fn program(&mut self) -> Result<(), Error> {
        let program = NewProgram {
            id: id("prog_123abc")?,
            name: parsed("Campus launch")?,
            description: Some(parsed(
                "Spring term: one free month for everybody who signs up at a poster.",
            )?),
            landing_url: parsed("https://example.com/join?utm_source=poster")?,
            commission: BasisPoints::from_percent(Some(10.0))
                .map_err(|complaint| Error::field("rate", complaint))?,
            payout_schedule: PayoutSchedule::Monthly,
            minimum_payout: cents(5000)?,
            payout_currency: Currency::usd(),
            status: ProgramStatus::Active,
            retry: None,
        };
        launch(
            self.conn,
            &self.account,
            &program,
            at("2024-01-05T09:00:00Z")?,
        )
        .map(drop)
    }

    fn ambassador(&mut self, user: &str, first_name: &str, when: &str) -> Result<(), Error> {
        let new = NewAmbassador {
            id: id(user)?,
            program_id: id("prog_123abc")?,
            first_name: parsed(first_name)?,
            last_name: parsed("Example")?,
            email: parsed(&format!("{}@example.com", first_name.to_lowercase()))?,
            profile_picture: None,
            metadata: metadata(json!({ "year": "Senior" })),
            retry: None,
        };
        enrol(self.conn, &self.account, &new, at(when)?).map(drop)
    }

    fn poster(
        &mut self,
        poster: &str,
        code: &str,
        student: &str,
        location: &str,
    ) -> Result<(), Error> {
        let code =
            PosterCode::from_outside(code).ok_or_else(|| Error::internal("a code in the story"))?;
        let new = NewPoster {
            id: id(poster)?,
            codes: [code.clone(), code.clone(), code],
            ambassador_id: id(student)?,
            program_id: None,
            location: Some(Line::cut(location)),
            landing_url: None,
            metadata: metadata(json!({ "poster_type": "standard" })),
            retry: None,
        };
        hang(self.conn, &self.account, &new, at("2024-01-10T10:00:00Z")?).map(drop)
    }

    /// What the published pages show: two referrals, and a scan that is still to become one.
    fn the_documents_rows(&mut self) -> Result<(), Error> {
        self.scan(
            id("imp_012jkl")?,
            "poster_456def",
            at("2024-01-14T18:40:00Z")?,
            0,
        )?;
        self.scan(
            id("imp_123abc")?,
            "poster_123abc",
            at("2024-01-15T10:02:00Z")?,
            1,
        )?;
        self.scan(
            id("imp_456def")?,
            "poster_123abc",
            at("2024-01-15T10:25:00Z")?,
            2,
        )?;
        self.signup(
            id("ref_123abc")?,
            id("imp_456def")?,
            "Alice",
            "Johnson",
            at("2024-01-15T10:30:00Z")?,
        )?;
        self.decision(
            &id("ref_123abc")?,
            ReferralStatus::Verified,
            at("2024-01-16T14:20:00Z")?,
        )?;
        self.decision(
            &id("ref_123abc")?,
            ReferralStatus::Converted,
            at("2024-01-16T16:00:00Z")?,
        )?;
        self.signup(
            id("ref_789ghi")?,
            id("imp_012jkl")?,
            "Bob",
            "Williams",
            at("2024-01-17T09:15:00Z")?,
        )?;
        self.earning(
            &id("earn_123abc")?,
            &id("ref_123abc")?,
            550,
            at("2024-01-16T16:05:00Z")?,
            EarningStatus::Paid,
        )
    }

    /// 160 scans; every seventh becomes a signup, and those fare differently.
    fn two_more_weeks(&mut self) -> Result<(), Error> {
        let posters = [
            "poster_123abc",
            "poster_234bcd",
            "poster_345cde",
            "poster_456def",
            "poster_567efg",
            "poster_678fgh",
        ];
        let start = at("2024-01-18T07:30:00Z")?;
        for n in 0..160_i64 {
            let moment = start.plus_seconds(n * 7_411);
            let poster = posters[usize::try_from(n * n + n / 3).unwrap_or(0) % posters.len()];
            let impression = ImpressionId::new(moment);
            self.scan(impression.clone(), poster, moment, n)?;
            if n % 7 == 3 {
                self.someone(n, impression, moment)?;
            }
        }
        Ok(())
    }

    fn someone(
        &mut self,
        n: i64,
        impression: ImpressionId,
        scanned_at: Timestamp,
    ) -> Result<(), Error> {
        let names = [
            "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi", "Ivan", "Judy", "Mike", "Niaj",
        ];
        let first_name = names[usize::try_from(n / 7).unwrap_or(0) % names.len()];
        let signed_up = scanned_at.plus_seconds(180);
        let referral = ReferralId::new(signed_up);
        self.signup(
            referral.clone(),
            impression,
            first_name,
            &format!("Example-{n}"),
            signed_up,
        )?;
        let later = signed_up.plus_seconds(90_000);
        match n / 7 % 5 {
            0 => Ok(()),
            1 => self.decision(&referral, ReferralStatus::Rejected, later),
            2 => self.decision(&referral, ReferralStatus::Verified, later),
            rest => {
                self.decision(&referral, ReferralStatus::Converted, later)?;
                let status = if rest == 3 {
                    EarningStatus::Pending
                } else {
                    EarningStatus::Processing
                };
                let earned_at = later.plus_seconds(60);
                self.earning(
                    &EarningId::new(earned_at),
                    &referral,
                    450 + n * 10,
                    earned_at,
                    status,
                )
            }
        }
    }

    fn scan(
        &mut self,
        impression: ImpressionId,
        poster: &str,
        when: Timestamp,
        n: i64,
    ) -> Result<(), Error> {
        let phones = [
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) Mobile/15E148 Safari/604.1",
                "mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120.0 Mobile Safari/537.36",
                "mobile",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/120.0 Safari/537.36",
                "tablet",
            ),
        ];
        let (agent, device) = phones[usize::try_from(n).unwrap_or(0) % phones.len()];
        let new = NewImpression {
            id: impression,
            poster_id: id(poster)?,
            scanned_at: when,
            user_agent: Some(Paragraph::cut(agent)),
            ip_address: Some(Line::cut(&format!("203.0.113.{}", n % 250 + 1))),
            metadata: metadata(json!({ "device_type": device, "referrer": "direct" })),
            retry: None,
        };
        record_scan(self.conn, &self.account, &new).map(drop)
    }

    fn signup(
        &mut self,
        referral: ReferralId,
        impression: ImpressionId,
        first_name: &str,
        last_name: &str,
        when: Timestamp,
    ) -> Result<(), Error> {
        let new = NewReferral {
            id: referral,
            impression_id: impression,
            first_name: parsed(first_name)?,
            last_name: parsed(last_name)?,
            email: parsed(&format!("{first_name}.{last_name}@example.com").to_lowercase())?,
            profile_picture: None,
            metadata: metadata(json!({ "source": "poster_qr_code", "location": "campus_center" })),
            retry: None,
        };
        record_signup(self.conn, &self.account, &new, when).map(drop)
    }

    fn decision(
        &mut self,
        referral: &ReferralId,
        status: ReferralStatus,
        when: Timestamp,
    ) -> Result<(), Error> {
        let changes = ReferralChanges {
            status: Some(status),
            ..ReferralChanges::default()
        };
        decide(
            self.conn,
            &self.account,
            &self.key,
            referral,
            &changes,
            when,
        )
        .map(drop)
    }

    fn earning(
        &mut self,
        earning: &EarningId,
        referral: &ReferralId,
        amount: i64,
        when: Timestamp,
        status: EarningStatus,
    ) -> Result<(), Error> {
        let new = NewEarning {
            id: earning.clone(),
            referral_id: referral.clone(),
            amount: cents(amount)?,
            currency: None,
            kind: Some(Line::cut("purchase")),
            description: Some(Paragraph::cut("Commission on the first month")),
            metadata: metadata(json!({ "commission_rate": "10%" })),
            key: None,
        };
        accrue(self.conn, &self.account, &new, when)?;
        if status == EarningStatus::Pending {
            return Ok(());
        }
        let changes = EarningChanges {
            status: Some(status),
            ..EarningChanges::default()
        };
        settle(
            self.conn,
            &self.account,
            &self.key,
            earning,
            &changes,
            when.plus_seconds(86_400),
        )
        .map(drop)
    }
}

fn at(text: &str) -> Result<Timestamp, Error> {
    parsed(text)
}

fn id<T: Id>(text: &str) -> Result<T, Error> {
    T::from_outside(text).ok_or_else(|| Error::internal("an id in the story"))
}

fn parsed<T: Parse>(text: &str) -> Result<T, Error> {
    T::parse(text).map_err(|complaint| Error::field("the story", complaint))
}

fn cents(amount: i64) -> Result<Cents, Error> {
    Cents::try_from(amount).map_err(|complaint| Error::field("amount", complaint))
}

fn metadata(value: Value) -> Metadata {
    let empty = Map::new();
    Metadata::from(value.as_object().unwrap_or(&empty))
}
