//! An earning, its statuses, and the one table of how they move.

use diesel::prelude::*;

use crate::bounds::belongs;
use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::{earning_moves, earnings};
use crate::idempotency::{Keyed, Retry};
use crate::ids::{
    AccountId, AmbassadorId, ApiKeyId, ConversionId, EarningId, ProgramId, ReferralId, Wanted,
};
use crate::ledger::model::Owner;
use crate::metadata::{Metadata, MetadataChange};
use crate::money::{Cents, Currency};
use crate::text::{IdempotencyKey, Line, Paragraph};

text_enum! {
    /// Where a commission stands on its way to the ambassador.
    pub enum EarningStatus {
        /// Recorded; nobody has begun to pay it.
        Pending = "pending",
        /// In a payout.
        Processing = "processing",
        /// The ambassador has it. Final.
        Paid = "paid",
        /// The payout failed; it can be tried again.
        Failed = "failed",
    }
}

impl EarningStatus {
    /// Where a caller can move this status. The migrations say the same to the database.
    pub const fn moves(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Processing, Self::Paid],
            Self::Processing => &[Self::Paid, Self::Failed],
            Self::Failed => &[Self::Processing],
            Self::Paid => &[],
        }
    }

    /// Where an earning ends by itself, when nothing of it is left to pay: `paid` if any of it arrived or was set
    /// off and stands, `failed` if all of it was taken back.
    pub const fn ends(self) -> &'static [Self] {
        match self {
            Self::Pending | Self::Failed => &[Self::Paid, Self::Failed],
            Self::Processing | Self::Paid => &[],
        }
    }
}

text_enum! {
    /// How an earning came to be.
    pub enum Origin {
        /// The company computed it and reported it.
        Reported = "reported",
        /// Computed from a conversion by the program's rules.
        Commission = "commission",
        /// For a number of verified referrals.
        Bonus = "bonus",
        /// In place of one that was reversed when its referral was rejected: the rejection was taken back.
        Reinstatement = "reinstatement",
        /// For a customer who was brought and qualified.
        Reward = "reward",
    }
}

/// Where an earning's amount is: every unit of it is in exactly one of the first six.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = earnings)]
pub struct Portions {
    /// In the ambassador's `pending` account.
    pub held: i64,
    /// In `available`.
    pub available: i64,
    /// In `in_payout`.
    pub in_payout: i64,
    /// In `paid`.
    pub paid: i64,
    /// Gone into what was owed back.
    pub set_off: i64,
    /// Taken back before it left.
    pub reversed: i64,
    /// How much of what had left (in a payout, paid, set off) was claimed back.
    pub clawed_back: i64,
}

/// One commission.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = earnings, treat_none_as_default_value = false)]
pub struct Earning {
    /// Whose it is.
    pub account_id: AccountId,
    /// `earn_…`
    pub id: EarningId,
    /// The signup it was earned by.
    pub referral_id: ReferralId,
    /// The referral's program.
    pub program_id: ProgramId,
    /// The referral's ambassador, who is to be paid.
    pub ambassador_id: AmbassadorId,
    /// Minor units of `currency`; the commission, not the order.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// `type` on the wire: purchase, subscription, recurring, bonus, whatever the caller says.
    pub kind: Option<Line>,
    /// For the ambassador to read.
    pub description: Option<Paragraph>,
    /// Where it stands.
    pub status: EarningStatus,
    /// The payout's or transaction's id elsewhere.
    pub reference_id: Option<Line>,
    /// When it was paid: there exactly when the status is `paid`.
    pub paid_at: Option<Timestamp>,
    /// The caller's own.
    pub metadata: Metadata,
    /// How it came to be.
    pub origin: Origin,
    /// Of which conversion it is the commission.
    pub conversion_id: Option<ConversionId>,
    /// By which version of the program's rules it was computed.
    pub rule_version: Option<i64>,
    /// For how many verified referrals it is the bonus.
    pub milestone: Option<i64>,
    /// When its hold ends; if there is none, when the referral is verified.
    pub available_at: Option<Timestamp>,
    /// The earning that took its place when the referral's rejection was taken back.
    pub replaced_by: Option<EarningId>,
    /// Where the amount is.
    #[diesel(embed)]
    pub portions: Portions,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// What a retry must repeat: see [`money`].
    pub idempotency_fingerprint: Option<String>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl Earning {
    /// Whose it is.
    pub fn owner(&self) -> Owner {
        Owner {
            account_id: self.account_id,
            program_id: self.program_id.clone(),
            ambassador_id: self.ambassador_id.clone(),
        }
    }

    /// What the ambassador has earned by it after all that was taken back.
    pub fn standing(&self) -> i64 {
        self.amount.get() - self.portions.reversed - self.portions.clawed_back
    }

    /// What can still leave.
    pub fn unpaid(&self) -> i64 {
        self.portions.held + self.portions.available + self.portions.in_payout
    }
}

impl Keyed for Earning {
    const WHAT: &'static str = "referral or amount";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }

    /// A request that named no currency means the one that was taken the first time.
    fn is_asked_for_by(&self, money: &str) -> bool {
        let kept = self.kept_fingerprint().unwrap_or_default();
        kept == money || (money.ends_with(' ') && kept.starts_with(money))
    }
}

/// What a new earning is made of.
#[derive(Debug, Clone)]
pub struct NewEarning {
    /// The signup it was earned by.
    pub referral_id: ReferralId,
    /// Minor units.
    pub amount: Cents,
    /// The program's, if none is named.
    pub currency: Option<Currency>,
    /// `type` on the wire.
    pub kind: Option<Line>,
    /// For the ambassador to read.
    pub description: Option<Paragraph>,
    /// The caller's own.
    pub metadata: Metadata,
    /// The caller's key; its fingerprint is the [`money`].
    pub retry: Option<Retry>,
}

/// The money of a request as a fingerprint, `ref_… 550 USD`; without a currency it ends in a blank.
pub fn money(referral: &ReferralId, amount: Cents, currency: Option<&Currency>) -> String {
    let currency = currency.map_or("", Currency::as_str);
    format!("{} {} {currency}", referral.as_str(), amount.get())
}

/// What is to change; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct EarningChanges {
    /// A corrected amount.
    pub amount: Option<Cents>,
    /// A corrected currency.
    pub currency: Option<Currency>,
    /// A new type, or none.
    pub kind: Option<Option<Line>>,
    /// A new description, or none.
    pub description: Option<Option<Paragraph>>,
    /// Where it is to move.
    pub status: Option<EarningStatus>,
    /// A new reference, or none.
    pub reference_id: Option<Option<Line>>,
    /// Metadata to merge or to put in place.
    pub metadata: Option<MetadataChange>,
    /// Why; kept with the move.
    pub note: Option<Paragraph>,
}

/// Which earnings.
#[derive(Debug, Clone)]
pub struct EarningFilter {
    /// Only this referral's.
    pub referral_id: Option<Wanted<ReferralId>>,
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only those that stand there.
    pub status: Option<EarningStatus>,
}

/// One move of a status.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = earning_moves, treat_none_as_default_value = false)]
pub struct EarningMove {
    /// Whose it is.
    pub account_id: AccountId,
    /// What moved.
    pub earning_id: EarningId,
    /// 1, 2, 3 … within the earning.
    pub position: i64,
    /// From where.
    pub from_status: EarningStatus,
    /// To where.
    pub to_status: EarningStatus,
    /// When.
    pub moved_at: Timestamp,
    /// With which key; without it handbill itself.
    pub moved_by: Option<ApiKeyId>,
    /// Why.
    pub note: Option<Paragraph>,
}

belongs!(Earning);
