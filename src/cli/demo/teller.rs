//! Whoever tells the story: each method makes one thing, through the same verbs that requests use.

use serde_json::{Map, Value, json};

use crate::accounts;
use crate::ambassadors::enrol::enrol;
use crate::ambassadors::model::NewAmbassador;
use crate::api_keys::issue::issue;
use crate::api_keys::model::Secret;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::together::Timed;
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
use crate::programs::model::{
    Audience, AvailableWhen, ConvertedBy, CouponTerms, NewProgram, PayoutSchedule, ProgramStatus,
};
use crate::referrals::decide::decide;
use crate::referrals::model::{NewReferral, ReferralChanges, ReferralStatus};
use crate::referrals::record::{Signup, record as record_signup};
use crate::text::{Line, Paragraph};

/// When it begins.
pub(super) const FIRST_DAY: &str = "2024-01-05T08:00:00Z";

/// Tells a story into one account of one database.
pub(super) struct Teller<'a> {
    pub(super) conn: &'a mut DbConnection,
    pub(super) account: AccountId,
    pub(super) key: ApiKeyId,
}

impl<'a> Teller<'a> {
    /// Opens the account that the story is told into, with a key that the documents know.
    pub(super) fn settle_in(
        conn: &'a mut DbConnection,
        account: AccountId,
        name: &str,
        secret: &str,
    ) -> Result<Self, Error> {
        let now = at(FIRST_DAY)?;
        let account = accounts::open::open(conn, account, &parsed(name)?, now)?.id;
        let key = ApiKeyId::new(now);
        let secret = Secret::presented(secret);
        issue(
            conn,
            &account,
            key.clone(),
            &parsed("the documents' key")?,
            &secret,
            now,
        )?;
        Ok(Self { conn, account, key })
    }

    pub(super) fn program(&mut self) -> Result<(), Error> {
        launch(
            self.conn,
            &self.account,
            &self.key,
            id("prog_123abc")?,
            &Self::campus_launch()?,
            at("2024-01-05T09:00:00Z")?,
        )
        .map(drop)
    }

    pub(super) fn campus_launch() -> Result<NewProgram, Error> {
        Ok(NewProgram {
            name: parsed("Campus launch")?,
            description: Some(parsed(
                "Spring term: one free month for everybody who signs up at a poster.",
            )?),
            landing_url: parsed("https://example.com/join?utm_source=poster")?,
            commission: BasisPoints::from_percent(Some(10.0))
                .map_err(|complaint| Error::field("rate", complaint))?,
            // Nothing happens in the story by itself.
            payout_schedule: PayoutSchedule::Manual,
            minimum_payout: cents(5000)?,
            payout_currency: Currency::usd(),
            available_when: AvailableWhen::Verified,
            hold_days: 30,
            converted_by: ConvertedBy::Conversion,
            audience: Audience::Ambassadors,
            coupon_terms: CouponTerms::default(),
            status: ProgramStatus::Active,
            retry: None,
        })
    }

    pub(super) fn ambassador(
        &mut self,
        user: &str,
        first_name: &str,
        when: &str,
    ) -> Result<(), Error> {
        let new = NewAmbassador {
            program_id: id("prog_123abc")?,
            first_name: parsed(first_name)?,
            last_name: parsed("Example")?,
            email: parsed(&format!("{}@example.com", first_name.to_lowercase()))?,
            profile_picture: None,
            metadata: metadata(&json!({ "year": "Senior" })),
            retry: None,
        };
        enrol(self.conn, &self.account, id(user)?, &new, at(when)?).map(drop)
    }

    pub(super) fn poster(
        &mut self,
        poster: &str,
        code: &str,
        student: &str,
        location: &str,
    ) -> Result<(), Error> {
        let code =
            PosterCode::from_outside(code).ok_or_else(|| Error::internal("a code in the story"))?;
        let new = NewPoster {
            codes: [code.clone(), code.clone(), code],
            ambassador_id: id(student)?,
            program_id: None,
            location: Some(Line::cut(location)),
            landing_url: None,
            metadata: metadata(&json!({ "poster_type": "standard" })),
            retry: None,
            public_url: super::PUBLIC_URL.to_owned(),
        };
        hang(
            self.conn,
            &self.account,
            id(poster)?,
            &new,
            at("2024-01-10T10:00:00Z")?,
        )
        .map(drop)
    }

    pub(super) fn scan(
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
            poster_id: id(poster)?,
            scanned_at: Some(when),
            user_agent: Some(Paragraph::cut(agent)),
            ip_address: Some(Line::cut(&format!("203.0.113.{}", n % 250 + 1))),
            metadata: metadata(&json!({ "device_type": device, "referrer": "direct" })),
            retry: None,
            is_event: false,
        };
        record_scan(self.conn, &self.account, impression, &new, when).map(drop)
    }

    pub(super) fn signup(
        &mut self,
        referral: ReferralId,
        impression: ImpressionId,
        first_name: &str,
        last_name: &str,
        when: Timestamp,
    ) -> Result<(), Error> {
        let new = NewReferral {
            impression_id: impression,
            first_name: parsed(first_name)?,
            last_name: parsed(last_name)?,
            email: parsed(&format!("{first_name}.{last_name}@example.com").to_lowercase())?,
            profile_picture: None,
            external_id: None,
            metadata: metadata(&json!({ "source": "poster_qr_code", "location": "campus_center" })),
            retry: None,
        };
        let signup = Timed {
            at: when,
            item: Signup {
                account_id: self.account,
                id: Some(referral),
                new,
            },
        };
        let outcomes = record_signup(self.conn, &[signup])?;
        outcomes
            .into_iter()
            .try_for_each(|outcome| outcome.map(drop))
    }

    pub(super) fn decision(
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

    pub(super) fn earning(
        &mut self,
        earning: &EarningId,
        referral: &ReferralId,
        amount: i64,
        when: Timestamp,
        status: EarningStatus,
    ) -> Result<(), Error> {
        let new = NewEarning {
            referral_id: referral.clone(),
            amount: cents(amount)?,
            currency: None,
            kind: Some(Line::cut("purchase")),
            description: Some(Paragraph::cut("Commission on the first month")),
            metadata: metadata(&json!({ "commission_rate": "10%" })),
            retry: None,
        };
        accrue(self.conn, &self.account, &self.key, earning, &new, when)?;
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

pub(super) fn at(text: &str) -> Result<Timestamp, Error> {
    parsed(text)
}

pub(super) fn id<T: Id>(text: &str) -> Result<T, Error> {
    T::from_outside(text).ok_or_else(|| Error::internal("an id in the story"))
}

pub(super) fn parsed<T: Parse>(text: &str) -> Result<T, Error> {
    T::parse(text).map_err(|complaint| Error::field("the story", complaint))
}

pub(super) fn cents(amount: i64) -> Result<Cents, Error> {
    Cents::try_from(amount).map_err(|complaint| Error::field("amount", complaint))
}

pub(super) fn metadata(value: &Value) -> Metadata {
    let empty = Map::new();
    Metadata::from(value.as_object().unwrap_or(&empty))
}
