//! A program.

use diesel::prelude::*;

use crate::bounds::Belongs;
use crate::clock::Timestamp;
use crate::coupons::model::CouponPrefix;
use crate::db::columns::text_enum;
use crate::db::schema::programs;
use crate::error::Error;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, AmbassadorId, ProgramId};
use crate::money::{BasisPoints, Cents, Currency};
use crate::text::{IdempotencyKey, Name, Paragraph, WebUrl};

text_enum! {
    /// Whether a program recruits.
    pub enum ProgramStatus {
        /// It does.
        Active = "active",
        /// No new ambassadors and posters; scans, signups and earnings go on.
        Paused = "paused",
    }
}

text_enum! {
    /// How often ambassadors are paid.
    pub enum PayoutSchedule {
        /// Every week.
        Weekly = "weekly",
        /// Every two weeks.
        Biweekly = "biweekly",
        /// Every month.
        Monthly = "monthly",
        /// When somebody says so.
        Manual = "manual",
    }
}

text_enum! {
    /// What ends the hold of an earning, so that it can be paid out.
    pub enum AvailableWhen {
        /// Its referral is verified.
        Verified = "verified",
        /// The program's days of hold are over.
        HoldDays = "hold_days",
    }
}

text_enum! {
    /// What makes a pending referral converted.
    pub enum ConvertedBy {
        /// Its first conversion.
        Conversion = "conversion",
        /// Somebody says so.
        Hand = "hand",
    }
}

text_enum! {
    /// Whom a program is for.
    pub enum Audience {
        /// People who promote it and are enrolled by the company.
        Ambassadors = "ambassadors",
        /// The company's customers: who brings another has a personal link, and who is brought becomes a customer.
        Customers = "customers",
    }
}

/// The code that a customer gets who was brought by another.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = programs, treat_none_as_default_value = false)]
pub struct CouponTerms {
    /// 1 if there is one.
    pub coupons: i64,
    /// What the codes begin with.
    pub coupon_prefix: CouponPrefix,
    /// How many days they are good for; none: for ever.
    pub coupon_days: Option<i64>,
}

/// None.
impl Default for CouponTerms {
    fn default() -> Self {
        Self {
            coupons: 0,
            coupon_prefix: CouponPrefix::default(),
            coupon_days: None,
        }
    }
}

/// What a company promises its ambassadors, and where it wants phones to land.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = programs, treat_none_as_default_value = false)]
pub struct Program {
    /// Whose it is.
    pub account_id: AccountId,
    /// `prog_…`
    pub id: ProgramId,
    /// For people.
    pub name: Name,
    /// For people, at length.
    pub description: Option<Paragraph>,
    /// Where a scan leads, unless the poster has a destination of its own.
    pub landing_url: WebUrl,
    /// The rate of the last rule that was a percentage. What is paid, the current rule says.
    pub commission_basis_points: BasisPoints,
    /// How often ambassadors are paid.
    pub payout_schedule: PayoutSchedule,
    /// What must have come together before a payout, in `payout_currency`.
    pub minimum_payout: Cents,
    /// The currency of earnings that name none.
    pub payout_currency: Currency,
    /// Since when the schedule is what it is.
    pub scheduled_since: Timestamp,
    /// What ends the hold of an earning.
    pub available_when: AvailableWhen,
    /// How many days it lasts, if it is ended by days.
    pub hold_days: i64,
    /// What makes a pending referral converted.
    pub converted_by: ConvertedBy,
    /// Whom it is for; for good.
    pub audience: Audience,
    /// The code that a customer gets who was brought by another.
    #[diesel(embed)]
    pub coupon_terms: CouponTerms,
    /// Whether it recruits.
    pub status: ProgramStatus,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
}

impl Keyed for Program {
    const WHAT: &'static str = "program";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

impl Program {
    /// When the hold of something earned at `from` ends; none if it ends with the verification.
    pub fn hold_ends(&self, from: Timestamp) -> Option<Timestamp> {
        let seconds = self.hold_days.saturating_mul(86_400);
        match self.available_when {
            AvailableWhen::Verified => None,
            AvailableWhen::HoldDays => Some(from.plus_seconds(seconds)),
        }
    }

    /// Refuses codes where nobody would get one.
    pub fn must_fit_its_audience(&self) -> Result<(), Error> {
        let has_codes = self.coupon_terms != CouponTerms::default();
        match self.audience == Audience::Ambassadors && has_codes {
            false => Ok(()),
            true => Err(Error::Conflict {
                code: "not_for_customers",
                message: "Only customers get coupons, and this program is for ambassadors; the one for customers was made with audience set to customers".to_owned(),
            }),
        }
    }

    /// Refuses what only a recruiting program allows.
    pub fn must_recruit(&self) -> Result<(), Error> {
        match self.status {
            ProgramStatus::Active => Ok(()),
            ProgramStatus::Paused => Err(Error::Conflict {
                code: "program_paused",
                message: "The program is paused; set its status to active first".to_owned(),
            }),
        }
    }
}

/// What a new program is made of.
#[derive(Debug, Clone)]
pub struct NewProgram {
    /// For people.
    pub name: Name,
    /// For people, at length.
    pub description: Option<Paragraph>,
    /// Where a scan leads.
    pub landing_url: WebUrl,
    /// The commission.
    pub commission: BasisPoints,
    /// How often ambassadors are paid.
    pub payout_schedule: PayoutSchedule,
    /// The least that is paid out.
    pub minimum_payout: Cents,
    /// The currency of payouts.
    pub payout_currency: Currency,
    /// What ends the hold of an earning.
    pub available_when: AvailableWhen,
    /// How many days it lasts.
    pub hold_days: i64,
    /// What makes a pending referral converted.
    pub converted_by: ConvertedBy,
    /// Whom it is for.
    pub audience: Audience,
    /// The code that a customer gets who was brought by another.
    pub coupon_terms: CouponTerms,
    /// Whether it recruits from the start.
    pub status: ProgramStatus,
    /// The caller's key.
    pub retry: Option<Retry>,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone)]
pub struct ProgramChanges {
    /// A new name.
    pub name: Option<Name>,
    /// A new description, or none.
    pub description: Option<Option<Paragraph>>,
    /// A new destination, for posters that already hang too.
    pub landing_url: Option<WebUrl>,
    /// A new rate.
    pub commission: Option<BasisPoints>,
    /// A new schedule.
    pub payout_schedule: Option<PayoutSchedule>,
    /// A new threshold.
    pub minimum_payout: Option<Cents>,
    /// A new currency, for earnings to come.
    pub payout_currency: Option<Currency>,
    /// What ends the hold of earnings to come.
    pub available_when: Option<AvailableWhen>,
    /// How many days it lasts, for earnings to come.
    pub hold_days: Option<i64>,
    /// What makes a pending referral converted.
    pub converted_by: Option<ConvertedBy>,
    /// Whether customers who are brought get a code.
    pub coupons: Option<bool>,
    /// What codes to come begin with.
    pub coupon_prefix: Option<CouponPrefix>,
    /// How many days codes to come are good for, or for ever.
    pub coupon_days: Option<Option<i64>>,
    /// Pause or resume.
    pub status: Option<ProgramStatus>,
}

impl Belongs for Program {
    const FOR_ALL: bool = true;

    fn program(&self) -> &ProgramId {
        &self.id
    }

    fn ambassador(&self) -> Option<&AmbassadorId> {
        None
    }
}
