//! How a collection is shown: whole, with its first payouts, and in a list.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Collection, CollectionStatus, Foreseen, PayoutFilter, Total};
use super::{collection_queries, queries};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::{Order, Page};
use crate::error::Error;
use crate::http::answer::list_of;
use crate::ids::{AmbassadorId, CollectionId, PayoutId, ProgramId, Wanted};
use crate::money::Currency;

/// How many payouts a collection shows.
const SHOWN: i64 = 1_000;

/// What a collection paid in one currency.
#[derive(Serialize, ToSchema)]
pub struct CollectionTotal {
    /// ISO 4217.
    pub currency: Currency,
    /// How many payouts.
    pub payouts: i64,
    /// Minor units.
    pub amount: i64,
}

/// A payout of a collection, in short.
#[derive(Serialize, ToSchema)]
pub struct CollectedPayout {
    /// `payout_…`; null in a dry run.
    #[schema(required)]
    pub id: Option<PayoutId>,
    /// Who is paid.
    pub student_id: AmbassadorId,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
}

/// A run over a program's ambassadors that makes payouts of what is due, or a look at what it would pay.
#[derive(Serialize, ToSchema)]
#[schema(as = Collection, example = json!({
    "id": "coll_0h5m8k2q9sx7v3n1b6tz", "program_id": "prog_123abc", "dry_run": false, "status": "collected",
    "totals": [{"currency": "USD", "payouts": 1, "amount": 5500}],
    "payouts": [{"id": "payout_456def", "student_id": "user_123abc", "currency": "USD", "amount": 5500}],
    "created_at": "2024-02-01T00:00:03Z"
}))]
pub struct CollectionView {
    /// `coll_…`; null for a dry run.
    #[schema(required)]
    pub id: Option<CollectionId>,
    /// Whose ambassadors.
    pub program_id: ProgramId,
    /// Whether nothing was paid.
    pub dry_run: bool,
    /// How far it has come; null for a dry run.
    #[schema(required)]
    pub status: Option<CollectionStatus>,
    /// What it paid so far, by currency; whatever became of the payouts.
    pub totals: Vec<CollectionTotal>,
    /// Its first 1,000 payouts; `GET /api/v1/payouts?collection_id=…` lists all.
    pub payouts: Vec<CollectedPayout>,
    /// When it began; null for a dry run.
    #[schema(required)]
    pub created_at: Option<Timestamp>,
}

/// A collection in a list: without its payouts.
#[derive(Serialize, ToSchema)]
pub struct CollectionSummary {
    /// `coll_…`
    pub id: CollectionId,
    /// Whose ambassadors.
    pub program_id: ProgramId,
    /// How far it has come.
    pub status: CollectionStatus,
    /// What it paid so far, by currency; whatever became of the payouts.
    pub totals: Vec<CollectionTotal>,
    /// When it began.
    pub created_at: Timestamp,
}

list_of! {
    /// A page of collections.
    pub struct CollectionList {
        /// The collections, oldest first.
        pub collections: Vec<CollectionSummary>
    }
}

impl From<Total> for CollectionTotal {
    fn from(total: Total) -> Self {
        Self {
            currency: total.currency,
            payouts: total.payouts,
            amount: total.amount,
        }
    }
}

impl From<(Collection, Vec<Total>)> for CollectionSummary {
    fn from((run, totals): (Collection, Vec<Total>)) -> Self {
        Self {
            id: run.id,
            program_id: run.program_id,
            status: run.status,
            totals: totals.into_iter().map(CollectionTotal::from).collect(),
            created_at: run.created_at,
        }
    }
}

impl CollectionView {
    /// The run as it is now.
    pub fn of(conn: &mut DbConnection, run: Collection) -> Result<Self, Error> {
        let filter = PayoutFilter {
            collection_id: Some(Wanted(Some(run.id.clone()))),
            ..PayoutFilter::default()
        };
        let page = Page {
            limit: SHOWN,
            offset: 0,
            order: Order::Asc,
            after: None,
            before: None,
        };
        let (payouts, _) = page.cut(queries::list(conn, &run.account_id, &filter, &page)?);
        let payouts = payouts.into_iter().map(|payout| CollectedPayout {
            id: Some(payout.id),
            student_id: payout.ambassador_id,
            currency: payout.currency,
            amount: payout.amount.get(),
        });
        let totals = collection_queries::totals(conn, &run.account_id, vec![run.id.clone()])?;
        let totals = totals.into_iter().map(|(_, total)| total.into());
        Ok(Self {
            totals: totals.collect(),
            payouts: payouts.collect(),
            id: Some(run.id),
            program_id: run.program_id,
            dry_run: false,
            status: Some(run.status),
            created_at: Some(run.created_at),
        })
    }

    /// A look at what would be paid, before anything was looked at.
    pub fn dry_run(program_id: ProgramId) -> Self {
        Self {
            id: None,
            program_id,
            dry_run: true,
            status: None,
            totals: Vec::new(),
            payouts: Vec::new(),
            created_at: None,
        }
    }

    /// Adds a payout that would be made.
    pub fn add(&mut self, payout: Foreseen) {
        let code = payout.currency.as_str();
        let place = self
            .totals
            .binary_search_by(|total| total.currency.as_str().cmp(code));
        let place = place.unwrap_or_else(|place| {
            let total = CollectionTotal {
                currency: payout.currency.clone(),
                payouts: 0,
                amount: 0,
            };
            self.totals.insert(place, total);
            place
        });
        self.totals[place].payouts += 1;
        self.totals[place].amount += payout.amount;
        if self.payouts.len() < usize::try_from(SHOWN).unwrap_or(0) {
            self.payouts.push(CollectedPayout {
                id: None,
                student_id: payout.ambassador_id,
                currency: payout.currency,
                amount: payout.amount,
            });
        }
    }
}
