//! The story: a campus programme in January 2024. Two ambassadors with six posters; two weeks of scans; some
//! people sign up, some of those buy, some are verified or rejected, and the ambassadors earn.
//!
//! It is told through the same verbs that requests use.

use super::teller::{Teller, at, id};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::earnings::model::EarningStatus;
use crate::error::Error;
use crate::ids::{AccountId, EarningId, ImpressionId, ReferralId};
use crate::referrals::model::ReferralStatus;

const CODE: &str = "DCMP74X9KT";

/// Tells the story into an empty database. The code of the first poster.
pub(super) fn tell(conn: &mut DbConnection) -> Result<String, Error> {
    let account = AccountId::random();
    let mut teller = Teller::settle_in(conn, account, "demo", super::KEY)?;
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
    Teller::settle_in(conn, id(super::SHOP)?, "shop", super::SHOP_KEY)?.customers()?;
    Ok(CODE.to_owned())
}

impl Teller<'_> {
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
}
