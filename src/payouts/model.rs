//! A payout, a collection, and the one table of how payouts move.

use diesel::prelude::*;

use crate::bounds::{Belongs, belongs};
use crate::clock::Timestamp;
use crate::db::columns::text_enum;
use crate::db::schema::{collections, payout_items, payout_moves, payouts};
use crate::idempotency::{Keyed, Retry};
use crate::ids::{
    AccountId, AmbassadorId, ApiKeyId, CollectionId, EarningId, PayoutId, ProgramId, Wanted,
};
use crate::ledger::model::Owner;
use crate::metadata::{Metadata, MetadataChange};
use crate::money::{Cents, Currency};
use crate::text::{IdempotencyKey, Line, Paragraph};

text_enum! {
    /// Where a payout stands.
    pub enum PayoutStatus {
        /// The money is on its way.
        Processing = "processing",
        /// The ambassador has it. Final.
        Paid = "paid",
        /// It did not arrive; its earnings are available again. Final.
        Failed = "failed",
        /// It was called back; its earnings are available again. Final.
        Cancelled = "cancelled",
    }
}

impl PayoutStatus {
    /// Where this status can move. The migrations say the same to the database.
    pub const fn moves(self) -> &'static [Self] {
        match self {
            Self::Processing => &[Self::Paid, Self::Failed, Self::Cancelled],
            Self::Paid | Self::Failed | Self::Cancelled => &[],
        }
    }
}

/// Money leaving.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = payouts, treat_none_as_default_value = false)]
pub struct Payout {
    /// Whose it is.
    pub account_id: AccountId,
    /// `payout_…`
    pub id: PayoutId,
    /// The run that made it.
    pub collection_id: CollectionId,
    /// The ambassador's program.
    pub program_id: ProgramId,
    /// Who is paid.
    pub ambassador_id: AmbassadorId,
    /// Minor units of `currency`; the sum of its items.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// Where it stands.
    pub status: PayoutStatus,
    /// The bank's or the provider's.
    pub reference_id: Option<Line>,
    /// Why it failed.
    pub failure_reason: Option<Paragraph>,
    /// The caller's own.
    pub metadata: Metadata,
    /// When it arrived.
    pub paid_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

impl Payout {
    /// Whose money it is.
    pub fn owner(&self) -> Owner {
        Owner {
            account_id: self.account_id,
            program_id: self.program_id.clone(),
            ambassador_id: self.ambassador_id.clone(),
        }
    }
}

/// What of an earning a payout pays.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = payout_items, treat_none_as_default_value = false)]
pub struct PayoutItem {
    /// Whose it is.
    pub account_id: AccountId,
    /// The payout.
    pub payout_id: PayoutId,
    /// The earning.
    pub earning_id: EarningId,
    /// How much of it.
    pub amount: i64,
    /// 1 while the payout is on its way or has arrived; an earning is in one such payout at most.
    pub live: i64,
}

/// What is to change; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct PayoutChanges {
    /// Where it is to move.
    pub status: Option<PayoutStatus>,
    /// A new reference, or none.
    pub reference_id: Option<Option<Line>>,
    /// A new reason, or none.
    pub failure_reason: Option<Option<Paragraph>>,
    /// Metadata to merge or to put in place.
    pub metadata: Option<MetadataChange>,
    /// Why; kept with the move.
    pub note: Option<Paragraph>,
}

/// Which payouts.
#[derive(Debug, Clone, Default)]
pub struct PayoutFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
    /// Only this ambassador's.
    pub ambassador_id: Option<Wanted<AmbassadorId>>,
    /// Only this run's.
    pub collection_id: Option<Wanted<CollectionId>>,
    /// Only those that stand there.
    pub status: Option<PayoutStatus>,
}

/// One move of a status.
#[derive(Debug, Clone, HasQuery, Insertable)]
#[diesel(table_name = payout_moves, treat_none_as_default_value = false)]
pub struct PayoutMove {
    /// Whose it is.
    pub account_id: AccountId,
    /// What moved.
    pub payout_id: PayoutId,
    /// 1, 2, 3 … within the payout.
    pub position: i64,
    /// From where.
    pub from_status: PayoutStatus,
    /// To where.
    pub to_status: PayoutStatus,
    /// When.
    pub moved_at: Timestamp,
    /// With which key.
    pub moved_by: ApiKeyId,
    /// Why.
    pub note: Option<Paragraph>,
}

text_enum! {
    /// How far a run has come.
    pub enum CollectionStatus {
        /// It has not been to all ambassadors. If its process ends, another goes on with it.
        Collecting = "collecting",
        /// It has.
        Collected = "collected",
    }
}

/// One run over a program's ambassadors.
#[derive(Debug, Clone, PartialEq, HasQuery, Insertable)]
#[diesel(table_name = collections, treat_none_as_default_value = false)]
pub struct Collection {
    /// Whose it is.
    pub account_id: AccountId,
    /// `coll_…`
    pub id: CollectionId,
    /// Whose ambassadors.
    pub program_id: ProgramId,
    /// How far it has come.
    pub status: CollectionStatus,
    /// The last ambassador it has been to.
    pub reached: Option<AmbassadorId>,
    /// See `idempotency`.
    pub idempotency_key: Option<IdempotencyKey>,
    /// See `idempotency`.
    pub idempotency_fingerprint: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
}

impl Keyed for Collection {
    const WHAT: &'static str = "program's collection";

    fn kept_fingerprint(&self) -> Option<&str> {
        self.idempotency_fingerprint.as_deref()
    }
}

/// What a new collection is made of.
#[derive(Debug, Clone)]
pub struct NewCollection {
    /// Whose ambassadors.
    pub program_id: ProgramId,
    /// The caller's key.
    pub retry: Option<Retry>,
}

/// Which collections.
#[derive(Debug, Clone, Default)]
pub struct CollectionFilter {
    /// Only this program's.
    pub program_id: Option<Wanted<ProgramId>>,
}

/// A payout that a run would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// Who would be paid.
    pub ambassador_id: AmbassadorId,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
}

/// What a run pays, or would pay, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// ISO 4217.
    pub currency: Currency,
    /// How many payouts.
    pub payouts: i64,
    /// How much altogether.
    pub amount: i64,
}

belongs!(Payout);

impl Belongs for Collection {
    fn program(&self) -> &ProgramId {
        &self.program_id
    }

    fn ambassador(&self) -> Option<&AmbassadorId> {
        None
    }
}
