//! `/api/v1/ledger/transfers`: every movement of money, in the order in which it happened. Read only, for ever.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{Reason, Side, Transfer, TransferFilter};
use super::queries;
use crate::app::App;
use crate::bounds::{Bounds, Narrow};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::answer::{self, Listing, list_of};
use crate::http::fields::fields;
use crate::http::openapi::ListRefusals;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{AmbassadorId, EarningId, TransferId, Wanted};
use crate::money::Currency;
use crate::text::Line;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/ledger/transfers").route(web::get().to(list)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Docs;

fields! {
    /// Which transfers. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct TransferQuery {
        /// Only this ambassador's (also spelt `studentId`).
        #[param(value_type = Option<String>, example = "user_123abc")]
        pub student_id = "student_id" | "studentId": Option<Wanted<AmbassadorId>>,
        /// Only this earning's (also spelt `earningId`).
        #[param(value_type = Option<String>, example = "earn_123abc")]
        pub earning_id = "earning_id" | "earningId": Option<Wanted<EarningId>>,
    }
}

impl Narrow for TransferQuery {
    fn within(mut self, bounds: &Bounds) -> Option<Self> {
        // Transfers know their ambassador and no program.
        bounds.ambassador.is_some().then(|| {
            bounds.narrow(&mut None, &mut self.student_id);
            self
        })
    }
}

impl Filter for TransferQuery {
    type Id = TransferId;
}

/// One movement: `amount` was taken from `debit` and given to `credit`. Never changed, never deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = Transfer, example = json!({
    "id": "tr_0h5m8k2q9sx7v3n1b6tz", "student_id": "user_123abc", "currency": "USD", "position": 1,
    "debit": "expense", "credit": "pending", "amount": 550, "reason": "earned", "earning_id": "earn_123abc",
    "occasion": null, "created_at": "2024-01-18T11:00:00Z"
}))]
pub struct TransferView {
    /// `tr_…`
    pub id: TransferId,
    /// Whose money moved.
    pub student_id: AmbassadorId,
    /// ISO 4217.
    pub currency: Currency,
    /// 1, 2, 3 … of this ambassador in this currency.
    pub position: i64,
    /// Where it was taken.
    pub debit: Side,
    /// Where it was put.
    pub credit: Side,
    /// Minor units, above zero.
    pub amount: i64,
    /// Why.
    pub reason: Reason,
    /// Of which earning.
    pub earning_id: EarningId,
    /// The payout or the refund that was the occasion, if there was one.
    #[schema(required)]
    pub occasion: Option<Line>,
    /// When.
    pub created_at: Timestamp,
}

impl From<Transfer> for TransferView {
    fn from(transfer: Transfer) -> Self {
        Self {
            id: transfer.id,
            student_id: transfer.ambassador_id,
            currency: transfer.currency,
            position: transfer.position,
            debit: transfer.debit,
            credit: transfer.credit,
            amount: transfer.amount,
            reason: transfer.reason,
            earning_id: transfer.earning_id,
            occasion: transfer.occasion,
            created_at: transfer.created_at,
        }
    }
}

list_of! {
    /// A page of transfers.
    pub struct TransferList {
        /// The transfers, oldest first.
        pub transfers: Vec<TransferView>
    }
}

/// List transfers
///
/// The ledger itself: every movement of money there ever was.
#[utoipa::path(get, path = "/api/v1/ledger/transfers", tag = "Ledger", operation_id = "listTransfers",
    params(TransferQuery, PageParams),
    responses((status = 200, description = "A page of transfers", body = TransferList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<TransferQuery>,
) -> Result<Listing<TransferList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = TransferFilter {
        ambassador_id: filter.student_id,
        earning_id: filter.earning_id,
    };
    // Rows are only ever added.
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, TransferView::from).await
}
