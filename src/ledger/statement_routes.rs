//! `/api/v1/ledger/statement`: an ambassador's movements between two moments, with the balance after each.

use actix_web::web;
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::balance_routes::{Accounts, end};
use super::routes::TransferView;
use super::statement::{Extract, Statement, draw_up};
use crate::ambassadors;
use crate::app::App;
use crate::bounds::{Bounds, Narrow};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::fields::fields;
use crate::http::openapi::ListRefusals;
use crate::http::query::{Limit, Offset, Query};
use crate::ids::{AmbassadorId, Id};
use crate::money::{Currency, Unit};
use crate::parse::Complaint;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/ledger/statement").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

fields! {
    /// Whose statement, and of which time.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct StatementQuery {
        /// The ambassador (also spelt `studentId`).
        #[param(value_type = String, example = "user_123abc")]
        pub student_id = "student_id" | "studentId": String,
        /// The first second; the beginning when left out.
        #[param(value_type = Option<String>, example = "2024-01-01T00:00:00Z")]
        pub from: Option<Timestamp>,
        /// The last second, all of it; now when left out.
        #[param(value_type = Option<String>, example = "2024-01-31T23:59:59Z")]
        pub as_of = "as_of" | "asOf": Option<Timestamp>,
        /// Only this currency, or `PTS` for points; all when left out.
        #[param(value_type = Option<String>, example = "USD")]
        pub currency: Option<Unit>,
        /// How many movements per currency at most: 1 or more; beyond the maximum it is the maximum.
        #[param(value_type = Option<i64>, minimum = 1, example = 50)]
        pub limit: Option<Limit>,
        /// How many movements per currency to pass over.
        #[param(value_type = Option<i64>, minimum = 0, example = 0)]
        pub offset: Option<Offset>,
    }
}

impl Narrow for StatementQuery {
    fn within(self, _: &Bounds) -> Option<Self> {
        // The handler asks whose the ambassador is.
        Some(self)
    }
}

/// One movement, and the accounts after it.
#[derive(Serialize, ToSchema)]
pub struct StatementLine {
    /// The movement.
    pub transfer: TransferView,
    /// The accounts after it.
    pub balance: Accounts,
}

/// The movements in one currency.
#[derive(Serialize, ToSchema)]
pub struct CurrencyStatement {
    /// ISO 4217.
    pub currency: Currency,
    /// The accounts before the first second.
    pub opening: Accounts,
    /// The movements, first to last.
    pub lines: Vec<StatementLine>,
    /// The accounts after the last second, whether all movements are shown or not.
    pub closing: Accounts,
    /// Whether there are more movements behind these.
    pub has_more: bool,
}

impl From<Statement> for CurrencyStatement {
    fn from(statement: Statement) -> Self {
        let line = |(transfer, sums)| StatementLine {
            transfer: TransferView::from(transfer),
            balance: Accounts::from(sums),
        };
        Self {
            currency: statement.currency,
            opening: statement.opening.into(),
            lines: statement.lines.into_iter().map(line).collect(),
            closing: statement.closing.into(),
            has_more: statement.has_more,
        }
    }
}

/// An ambassador's movements.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub struct StatementView {
    /// The ambassador, as asked for.
    pub student_id: String,
    /// The first second; null: from the beginning.
    #[schema(required)]
    pub from: Option<Timestamp>,
    /// The last second.
    pub as_of: Timestamp,
    /// One for each currency in which anything was earned by then; none if nobody of yours has this id.
    pub statements: Vec<CurrencyStatement>,
    /// The page size in force.
    #[schema(example = 50)]
    pub limit: i64,
    /// How many were passed over.
    #[schema(example = 0)]
    pub offset: i64,
}

/// Get a statement
///
/// What there was before, every movement with the accounts after it, and what there was in the end.
#[utoipa::path(get, path = "/api/v1/ledger/statement", tag = "Ledger", operation_id = "getStatement",
    params(StatementQuery),
    responses((status = 200, description = "The statement", body = StatementView), ListRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    Query(query): Query<StatementQuery>,
) -> Result<web::Json<StatementView>, Error> {
    let as_of = query.as_of.unwrap_or_else(|| app.clock.now());
    let from = query.from.unwrap_or(Timestamp::from_micros(0));
    if from.start_of_second() > as_of {
        let complaint = Complaint::new("invalid_period", "must not be after as_of");
        return Err(Error::field("from", complaint));
    }
    let extract = Extract {
        from: from.start_of_second(),
        before: end(as_of),
        limit: Limit::in_force(query.limit, app.config.max_page_size),
        offset: Offset::in_force(query.offset),
    };
    let mut statements = Vec::new();
    if let Some(id) = AmbassadorId::from_outside(&query.student_id)
        && account
            .reaches(&app, &id, ambassadors::queries::find)
            .await?
    {
        let currency = query.currency.map(|unit| unit.0);
        statements = app
            .db
            .read_consistently(move |conn| {
                draw_up(conn, &account.id, &id, currency.as_ref(), extract)
            })
            .await?;
    }
    Ok(web::Json(StatementView {
        student_id: query.student_id,
        from: query.from,
        as_of,
        statements: statements
            .into_iter()
            .map(CurrencyStatement::from)
            .collect(),
        limit: extract.limit,
        offset: extract.offset,
    }))
}
