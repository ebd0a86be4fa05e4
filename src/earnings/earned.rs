//! What an earning is made of, whoever computed it.

use super::model::{Earning, EarningStatus, Origin, Portions};
use crate::clock::Timestamp;
use crate::ids::{ConversionId, EarningId};
use crate::metadata::Metadata;
use crate::money::{Cents, Currency};
use crate::programs::model::Program;
use crate::referrals::model::Referral;
use crate::text::{Line, Paragraph};

/// An earning to be.
#[derive(Debug, Clone)]
pub struct Earned<'a> {
    /// By which signup.
    pub referral: &'a Referral,
    /// How it came to be.
    pub origin: Origin,
    /// Minor units.
    pub amount: Cents,
    /// ISO 4217.
    pub currency: Currency,
    /// `type` on the wire.
    pub kind: Option<Line>,
    /// For the ambassador to read.
    pub description: Option<Paragraph>,
    /// The caller's own.
    pub metadata: Metadata,
    /// Of which conversion.
    pub conversion_id: Option<ConversionId>,
    /// By which version of the rules.
    pub rule_version: Option<i64>,
    /// For how many verified referrals.
    pub milestone: Option<i64>,
    /// From when on a hold of days is counted.
    pub held_from: Timestamp,
}

impl<'a> Earned<'a> {
    /// Nothing yet, reported, held from `from` on.
    pub fn of(referral: &'a Referral, currency: Currency, from: Timestamp) -> Self {
        Self {
            referral,
            origin: Origin::Reported,
            amount: Cents::ZERO,
            currency,
            kind: None,
            description: None,
            metadata: Metadata::default(),
            conversion_id: None,
            rule_version: None,
            milestone: None,
            held_from: from,
        }
    }

    /// The earning, before anything of it is booked.
    pub fn earning(self, id: EarningId, program: &Program, now: Timestamp) -> Earning {
        Earning {
            id,
            account_id: self.referral.account_id,
            referral_id: self.referral.id.clone(),
            program_id: self.referral.program_id.clone(),
            ambassador_id: self.referral.ambassador_id.clone(),
            amount: self.amount,
            currency: self.currency,
            kind: self.kind,
            description: self.description,
            status: EarningStatus::Pending,
            reference_id: None,
            paid_at: None,
            metadata: self.metadata,
            origin: self.origin,
            conversion_id: self.conversion_id,
            rule_version: self.rule_version,
            milestone: self.milestone,
            available_at: program.hold_ends(self.held_from),
            replaced_by: None,
            portions: Portions::default(),
            idempotency_key: None,
            idempotency_fingerprint: None,
            created_at: now,
            updated_at: now,
        }
    }
}
