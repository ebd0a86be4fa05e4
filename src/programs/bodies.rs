//! What callers say about a program: a new one, and what is to change about one.

use utoipa::ToSchema;

use super::model::{Audience, AvailableWhen, ConvertedBy, PayoutSchedule, ProgramStatus};
use crate::coupons::model::CouponPrefix;
use crate::http::fields::{CouponDays, HoldDays, Threshold, fields};
use crate::money::{BasisPoints, Currency};
use crate::text::{IdempotencyKey, Name, Paragraph, WebUrl};

fields! {
    /// A new program.
    #[derive(ToSchema)]
    pub struct CreateProgram {
        /// What people call it.
        pub name: Name,
        /// For people, at most 2,000 characters.
        pub description: Option<Paragraph>,
        /// Where a scan leads; `impression_id` is added to it.
        pub landing_url: WebUrl,
        /// The commission in percent, which is the program's first rule; 0 when left out.
        pub commission_rate: Option<BasisPoints>,
        /// `manual` when left out.
        pub payout_schedule: Option<PayoutSchedule>,
        /// In minor units; 0 when left out.
        pub minimum_payout: Option<Threshold>,
        /// `USD` when left out.
        pub payout_currency: Option<Currency>,
        /// What ends the hold of an earning: `verified` (its referral is; the default) or `hold_days`.
        pub available_when: Option<AvailableWhen>,
        /// How many days a hold lasts that is ended by `hold_days`: 0 to 3650; 30 when left out.
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 3650)]
        pub hold_days: Option<HoldDays>,
        /// What makes a pending referral converted: its first `conversion` (the default), or only your `hand`.
        pub converted_by: Option<ConvertedBy>,
        /// `ambassadors` when left out, and for good. One program can be for `customers`; without any, it is made when
        /// the first customer brings another.
        pub audience: Option<Audience>,
        /// Whether a customer who was brought by another gets a code; false when left out.
        pub coupons: Option<bool>,
        /// What the codes begin with; `JOY-` when left out.
        pub coupon_prefix: Option<CouponPrefix>,
        /// How many days they are good for, 1 to 3650; for ever when left out.
        #[schema(value_type = Option<i64>, minimum = 1, maximum = 3650)]
        pub coupon_days: Option<CouponDays>,
        /// `active` when left out.
        pub status: Option<ProgramStatus>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `description`.
    #[derive(ToSchema)]
    pub struct UpdateProgram {
        /// A new name.
        pub name: Option<Name>,
        /// A new description, or null for none.
        #[schema(value_type = Option<Paragraph>)]
        pub description: Option<Option<Paragraph>>,
        /// A new destination, for posters that already hang too.
        pub landing_url: Option<WebUrl>,
        /// A new rate in percent. If it is another one than before, it is published as a new rule.
        pub commission_rate: Option<BasisPoints>,
        /// A new schedule.
        pub payout_schedule: Option<PayoutSchedule>,
        /// A new threshold in minor units.
        pub minimum_payout: Option<Threshold>,
        /// A new currency, for earnings to come.
        pub payout_currency: Option<Currency>,
        /// What ends the hold of earnings to come.
        pub available_when: Option<AvailableWhen>,
        /// How many days the hold of earnings to come lasts.
        #[schema(value_type = Option<i64>, minimum = 0, maximum = 3650)]
        pub hold_days: Option<HoldDays>,
        /// What makes a pending referral converted.
        pub converted_by: Option<ConvertedBy>,
        /// Whether customers who are brought by others get codes.
        pub coupons: Option<bool>,
        /// What codes to come begin with.
        pub coupon_prefix: Option<CouponPrefix>,
        /// How many days codes to come are good for, or null for ever.
        #[schema(value_type = Option<i64>, minimum = 1, maximum = 3650)]
        pub coupon_days: Option<Option<CouponDays>>,
        /// Pause or resume.
        pub status: Option<ProgramStatus>,
    }
}
