//! `/api/v1/ledger/balance`: what an ambassador has, now or as of any moment.

use actix_web::web;
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::queries;
use super::sums::Sums;
use crate::ambassadors;
use crate::app::App;
use crate::bounds::{Bounds, Narrow};
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::fields::fields;
use crate::http::openapi::ListRefusals;
use crate::http::query::Query;
use crate::ids::{AccountId, AmbassadorId, Id};
use crate::money::Currency;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/ledger/balance").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

fields! {
    /// Whose balance, and when.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct BalanceQuery {
        /// The ambassador (also spelt `studentId`).
        #[param(value_type = String, example = "user_123abc")]
        pub student_id = "student_id" | "studentId": String,
        /// The moment; now when left out. A whole second, all of it: everything counts that is shown with this
        /// second as its `created_at`, or an earlier one. A fraction of a second is ignored.
        #[param(value_type = Option<String>, example = "2024-01-31T23:59:59Z")]
        pub as_of = "as_of" | "asOf": Option<Timestamp>,
    }
}

impl Narrow for BalanceQuery {
    fn within(self, _: &Bounds) -> Option<Self> {
        // The handler asks whose the ambassador is.
        Some(self)
    }
}

/// The accounts of an ambassador in one currency, in minor units. It is always true that `earned` = `pending` +
/// `available` + `in_payout` + `paid` − `owed_back` + `reversed`.
#[derive(Serialize, ToSchema)]
pub struct Accounts {
    /// Earned, and held until the referral is verified or the hold is over.
    pub pending: i64,
    /// Can be paid out.
    pub available: i64,
    /// On its way.
    pub in_payout: i64,
    /// Has arrived.
    pub paid: i64,
    /// Was paid and is owed back: what is earned next is set off against it.
    pub owed_back: i64,
    /// All that was ever earned.
    pub earned: i64,
    /// What of it was taken back.
    pub reversed: i64,
}

impl From<Sums> for Accounts {
    fn from(sums: Sums) -> Self {
        Self {
            pending: sums.pending,
            available: sums.available,
            in_payout: sums.in_payout,
            paid: sums.paid,
            owed_back: sums.owed_back,
            earned: sums.earned,
            reversed: sums.reversed,
        }
    }
}

/// What an ambassador has in one currency.
#[derive(Serialize, ToSchema)]
pub struct CurrencyBalance {
    /// ISO 4217.
    pub currency: Currency,
    /// The accounts.
    #[serde(flatten)]
    pub accounts: Accounts,
}

/// What an ambassador has.
#[derive(Serialize, ToSchema)]
#[schema(as = Balance, example = json!({
    "student_id": "user_123abc", "as_of": "2024-01-31T23:59:59Z",
    "balances": [{
        "currency": "USD", "pending": 550, "available": 1100, "in_payout": 0, "paid": 2200, "owed_back": 0,
        "earned": 4400, "reversed": 550
    }]
}))]
pub struct BalanceView {
    /// The ambassador, as asked for.
    pub student_id: String,
    /// The moment.
    pub as_of: Timestamp,
    /// One for each currency in which anything was earned by then; none if nobody of yours has this id.
    pub balances: Vec<CurrencyBalance>,
}

/// Get a balance
///
/// Now, or as of any moment: then it is added up from the transfers up to that moment. About a moment that has passed
/// the answer is always the same, once the writes that were under way then have ended.
#[utoipa::path(get, path = "/api/v1/ledger/balance", tag = "Ledger", operation_id = "getBalance",
    params(BalanceQuery),
    responses((status = 200, description = "The balance", body = BalanceView), ListRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    Query(query): Query<BalanceQuery>,
) -> Result<web::Json<BalanceView>, Error> {
    let now = app.clock.now();
    let mut balances = Vec::new();
    if let Some(id) = AmbassadorId::from_outside(&query.student_id)
        && account
            .reaches(&app, &id, ambassadors::queries::find)
            .await?
    {
        let as_of = query.as_of;
        balances = app
            .db
            .read_consistently(move |conn| match as_of {
                None => current(conn, &account.id, &id),
                Some(at) => past(conn, &account.id, &id, end(at)),
            })
            .await?;
    }
    let balance = |(currency, sums): (Currency, Sums)| CurrencyBalance {
        currency,
        accounts: sums.into(),
    };
    Ok(web::Json(BalanceView {
        student_id: query.student_id,
        as_of: query.as_of.unwrap_or(now),
        balances: balances.into_iter().map(balance).collect(),
    }))
}

/// The first moment that is shown as a later second: what is shown with the second of `at` counts.
pub(super) fn end(at: Timestamp) -> Timestamp {
    at.start_of_second().plus_seconds(1)
}

fn current(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
) -> Result<Vec<(Currency, Sums)>, Error> {
    let sums = past(conn, account, ambassador, Timestamp::from_micros(i64::MAX))?;
    let balances = queries::list_balances(conn, account, ambassador)?;
    let kept = |(currency, sums): (Currency, Sums)| {
        let balance = balances.iter().find(|balance| balance.currency == currency);
        let sums = balance.map_or(sums, |balance| sums.kept_in(balance));
        (currency, sums)
    };
    Ok(sums.into_iter().map(kept).collect())
}

fn past(
    conn: &mut DbConnection,
    account: &AccountId,
    ambassador: &AmbassadorId,
    before: Timestamp,
) -> Result<Vec<(Currency, Sums)>, Error> {
    let mut balances: Vec<(Currency, Sums)> = Vec::new();
    for (currency, reason, amount) in queries::sums(conn, account, ambassador, before)? {
        match balances.last_mut().filter(|(last, _)| *last == currency) {
            Some((_, sums)) => sums.add(reason, amount),
            None => balances.push((currency, Sums::of([(reason, amount)]))),
        }
    }
    Ok(balances)
}
