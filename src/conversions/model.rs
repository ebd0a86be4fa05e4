//! A conversion.

use diesel::prelude::*;
use serde_json::{Value, json};

use crate::bounds::belongs;
use crate::clock::Timestamp;
use crate::coupons::model::CouponCode;
use crate::db::columns::text_enum;
use crate::db::schema::conversions;
use crate::earnings::earned::Earned;
use crate::earnings::model::Origin;
use crate::error::Error;
use crate::idempotency::{Keyed, Retry};
use crate::ids::{AccountId, AmbassadorId, ConversionId, ProgramId, ReferralId, Wanted};
use crate::ledger::model::Owner;
use crate::metadata::Metadata;
use crate::money::{Cents, Currency, share};
use crate::referrals::model::Referral;
use crate::text::{EmailAddress, ExternalId, IdempotencyKey, Line, OrderId, Paragraph};

text_enum! {
    /// What kind of purchase it was.
    pub enum ConversionKind {
        /// Bought once.
        Purchase = "purchase",
        /// The beginning of a subscription.
        Subscription = "subscription",
        /// A subscription's next payment.
        Renewal = "renewal",
    }
}

/// One purchase.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = conversions, treat_none_as_default_value = false)]
pub struct Conversion {
    /// Whose it is.
    pub account_id: AccountId,
    /// `conv_…`
    pub id: ConversionId,
    /// The signup of who bought.
    pub referral_id: ReferralId,
    /// The referral's program.
    pub program_id: ProgramId,
    /// The referral's ambassador.
    pub ambassador_id: AmbassadorId,
    /// The company's own: one order is one conversion, for ever.
    pub order_id: OrderId,
    /// What kind of purchase it was.
    pub kind: ConversionKind,
    /// What was paid for, in minor units of `currency`.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// When it was bought.
    pub occurred_at: Timestamp,
    /// How much of the amount was given back.
    pub refunded: Cents,
    /// What the rule made of the whole amount.
    pub commission: Cents,
    /// What of it no cap left room for when the rejection of its referral was taken back.
    pub capped: Cents,
    /// Which version of the program's rules.
    pub rule_version: i64,
    /// How it was computed, as a JSON array.
    pub steps: String,
    /// The coupon it was bought with.
    pub coupon_code: Option<CouponCode>,
    /// The caller's own.
    pub metadata: Metadata,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What a retry, or the same order, must repeat.
    pub idempotency_fingerprint: String,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl Conversion {
    /// Whose commission it is.
    pub fn owner(&self) -> Owner {
        Owner {
            account_id: self.account_id,
            program_id: self.program_id.clone(),
            ambassador_id: self.ambassador_id.clone(),
        }
    }

    /// The commission on the whole amount, as far as the caps left room for it.
    pub fn payable(&self) -> Cents {
        Cents::try_from(self.commission.get() - self.capped.get()).unwrap_or(Cents::ZERO)
    }

    /// The commission on what was not given back.
    pub fn due(&self) -> i64 {
        let kept = self.amount.get() - self.refunded.get();
        share(self.payable().get(), kept, self.amount.get())
    }

    /// No more than `most` is due from now on: the rejection of its referral was taken back, and the caps left no room for
    /// more. What is payable becomes the least of which that is the share, so that refunds go on adding up.
    pub fn cap(&mut self, most: i64, now: Timestamp) -> Result<(), Error> {
        let kept = self.amount.get() - self.refunded.get();
        let payable = -share(-most, self.amount.get(), kept);
        self.capped = Cents::try_from(self.commission.get() - payable)
            .map_err(|_| Error::internal("a commission out of range"))?;
        let [written, due] = [payable, most].map(|units| self.currency.written(units));
        let text = format!(
            "When the rejection was taken back, the rule's caps left {due} for what was not refunded: the commission on the whole is {written} from then on"
        );
        let at = now.micros().div_euclid(1_000_000);
        let mut steps: Vec<Value> = serde_json::from_str(&self.steps).map_err(Error::internal)?;
        steps.push(json!({
            "what": "reopened", "text": text, "figures": { "amount": payable, "at": at, "due": most },
        }));
        self.steps = serde_json::to_string(&steps).map_err(Error::internal)?;
        self.updated_at = now;
        Ok(())
    }

    /// What an earning of `amount` is made of that comes of this conversion.
    pub fn earned<'a>(&self, referral: &'a Referral, origin: Origin, amount: Cents) -> Earned<'a> {
        Earned {
            origin,
            amount,
            kind: Some(Line::cut(self.kind.as_str())),
            description: Some(Paragraph::cut(&format!(
                "Commission for order {}",
                self.order_id.as_str()
            ))),
            conversion_id: Some(self.id.clone()),
            rule_version: Some(self.rule_version),
            ..Earned::of(referral, self.currency.clone(), self.occurred_at)
        }
    }
}

impl Keyed for Conversion {
    const WHAT: &'static str = "purchase";

    fn kept_fingerprint(&self) -> Option<&str> {
        Some(&self.idempotency_fingerprint)
    }
}

/// Whose purchase it was, as the company says it.
#[derive(Debug, Clone)]
pub enum Buyer {
    /// The signup.
    Referral(ReferralId),
    /// The person with this address.
    Email(EmailAddress),
    /// The person with this name of the company's own.
    External(ExternalId),
    /// Whoever has the coupon.
    Coupon,
}

/// What a new conversion is made of.
#[derive(Debug, Clone)]
pub struct NewConversion {
    /// Whose purchase it was.
    pub buyer: Buyer,
    /// The coupon it was bought with.
    pub coupon_code: Option<CouponCode>,
    /// Where to look for the person's signup, if not everywhere.
    pub program_id: Option<ProgramId>,
    /// The company's own.
    pub order_id: OrderId,
    /// What kind of purchase it was.
    pub kind: ConversionKind,
    /// Minor units.
    pub amount: Cents,
    /// The program's, if none is named.
    pub currency: Option<Currency>,
    /// When it was bought, if that is not now.
    pub occurred_at: Option<Timestamp>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key.
    pub retry: Option<Retry>,
    /// What a retry, or the same order, must repeat.
    pub fingerprint: String,
}

/// Which conversions.
#[derive(Debug, Clone)]
pub struct ConversionFilter {
    /// Only this referral's.
    pub referral_id: Option<Wanted<ReferralId>>,
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only this order.
    pub order_id: Option<OrderId>,
    /// Only of this kind.
    pub kind: Option<ConversionKind>,
}

belongs!(Conversion);
