//! An event.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::events;
use crate::ids::{AccountId, EventId};

text_enum! {
    /// What can happen.
    pub enum EventKind {
        /// Somebody signed up.
        ReferralCreated = "referral.created",
        /// The person bought something or subscribed.
        ReferralConverted = "referral.converted",
        /// An administrator has checked the signup.
        ReferralVerified = "referral.verified",
        /// The signup does not count.
        ReferralRejected = "referral.rejected",
        /// A rejection was taken back.
        ReferralReopened = "referral.reopened",
        /// What is known about the person changed, and not where the signup stands.
        ReferralUpdated = "referral.updated",
        /// One customer brought another.
        IntroductionCreated = "introduction.created",
        /// A customer who was brought by another met the conditions of the reward.
        IntroductionQualified = "introduction.qualified",
        /// The other customer has the reward.
        IntroductionRewarded = "introduction.rewarded",
        /// A customer became known.
        CustomerCreated = "customer.created",
        /// What is known about a customer changed.
        CustomerUpdated = "customer.updated",
        /// A customer who was brought by another got a code.
        CouponCreated = "coupon.created",
        /// Something was bought with it.
        CouponUsed = "coupon.used",
        /// What was personal about the person was removed. The object is nothing but the id.
        ReferralErased = "referral.erased",
        /// What was personal about an ambassador was removed. The object is nothing but the id.
        UserErased = "user.erased",
        /// What was personal about a customer was removed. The object is nothing but the id.
        CustomerErased = "customer.erased",
        /// A purchase was reported.
        ConversionCreated = "conversion.created",
        /// A refund was reported.
        RefundCreated = "refund.created",
        /// A refund that had waited found its order.
        RefundApplied = "refund.applied",
        /// An ambassador earned something.
        EarningCreated = "earning.created",
        /// An earning's published status moved.
        EarningStatusChanged = "earning.status_changed",
        /// Money leaves.
        PayoutCreated = "payout.created",
        /// It arrived.
        PayoutPaid = "payout.paid",
        /// It did not.
        PayoutFailed = "payout.failed",
        /// It was called back.
        PayoutCancelled = "payout.cancelled",
        /// A program was made.
        ProgramCreated = "program.created",
        /// A program's promises changed, or it was paused or resumed.
        ProgramUpdated = "program.updated",
        /// Somebody became an ambassador.
        UserCreated = "user.created",
        /// What is known about an ambassador changed.
        UserUpdated = "user.updated",
        /// A poster was made.
        PosterCreated = "poster.created",
        /// A poster moved, leads elsewhere, was retired or put back up.
        PosterUpdated = "poster.updated",
        /// An endpoint answered 410, or nothing could be delivered to it for five days.
        WebhookEndpointDisabled = "webhook_endpoint.disabled",
        /// A poster was scanned. Only if `HANDBILL_IMPRESSION_EVENTS` is on: there are many.
        ImpressionCreated = "impression.created",
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct Event {
    /// To whose things.
    pub account_id: AccountId,
    /// Its number among the account's events: 1, 2, 3 …; 0 as long as it has none.
    pub sequence: i64,
    /// What.
    pub kind: EventKind,
    /// The id of what it happened to.
    pub object_id: String,
    /// The object as a client would have got it then, as JSON.
    pub data: String,
    /// Where it stood before, if a status moved.
    pub previous_status: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

impl Event {
    /// `evt_…`, once it has a number.
    pub fn id(&self) -> EventId {
        EventId::numbered(self.created_at, self.sequence)
    }
}
