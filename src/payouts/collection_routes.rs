//! `/api/v1/payouts:collect` and `/api/v1/payouts/collections`: the contract of runs over a program's ambassadors.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use serde_json::json;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::collect::{begin, foresee, program};
use super::collection_queries;
use super::collection_view::{CollectionList, CollectionSummary, CollectionView};
use super::model::{Collection, CollectionFilter, NewCollection, Total};
use crate::acts::model::{Act, Action};
use crate::acts::note::note_if_new;
use crate::app::App;
use crate::bounds::{Bounds, Narrow};
use crate::db::page::Page;
use crate::db::{DbConnection, QueryResult};
use crate::error::Error;
use crate::http::account::{Account, Caller};
use crate::http::answer::{self, Created, Listing};
use crate::http::body::Body;
use crate::http::fields::fields;
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Recorded, Retry, fingerprint};
use crate::ids::{AccountId, AmbassadorId, CollectionId, ProgramId, Wanted};
use crate::payday;
use crate::programs::model::Program;
use crate::text::IdempotencyKey;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(web::resource("/payouts:collect").route(web::post().to(collect)))
        .service(web::resource("/payouts/collections").route(web::get().to(list)))
        .service(web::resource("/payouts/collections/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(collect, list, show))]
pub struct Docs;

fields! {
    /// Whose ambassadors are to be paid.
    #[derive(ToSchema)]
    #[schema(example = json!({"program_id": "prog_123abc", "idempotency_key": "february"}))]
    pub struct CollectPayouts {
        /// The program.
        pub program_id: ProgramId,
        /// Whether only to say what would be paid; false when left out.
        pub dry_run: Option<bool>,
        /// Makes a retry the same collection, for ever; one that was broken off goes on.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// Which collections.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct CollectionQuery {
        /// Only this program's (also spelt `programId`).
        #[param(value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "program_id" | "programId": Option<Wanted<ProgramId>>,
    }
}

impl Narrow for CollectionQuery {
    fn within(mut self, bounds: &Bounds) -> Option<Self> {
        // A collection pays everybody.
        bounds.ambassador.is_none().then(|| {
            bounds.narrow_program(&mut self.program_id);
            self
        })
    }
}

impl Filter for CollectionQuery {
    type Id = CollectionId;
}

/// Pay out what is due
///
/// Ends the holds that are due, and then makes one payout for every ambassador and currency of which something is
/// available, at least the program's minimum: the earnings in it are `processing` until you say what became of the
/// payout. Nothing is paid twice, however many collections run at once.
#[utoipa::path(post, path = "/api/v1/payouts:collect", tag = "Payouts", operation_id = "collectPayouts",
    request_body = CollectPayouts,
    params(KeyHeaderParam),
    responses((status = 200, description = "The collection, or what it would be", body = CollectionView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key began it"))),
        CreateRefusals))]
async fn collect(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CollectPayouts>,
) -> Result<Created<CollectionView>, Error> {
    let Body(body) = body;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[body.program_id.as_str()]),
        key,
    });
    let (owner, id) = (account.id, body.program_id.clone());
    let program = app.db.read(move |conn| program(conn, &owner, &id)).await?;
    payday::release_holds(&app, &account.id).await?;
    if body.dry_run == Some(true) {
        let view = would_pay(&app, program).await?;
        return Ok(Created::new(Recorded::New(view), |view| view));
    }
    let new = NewCollection {
        program_id: body.program_id,
        retry,
    };
    let by = account.clone();
    let begun = app
        .db
        .write(move |conn, now| {
            let begun = begin(conn, &by.id, &new, now)?;
            note_if_new(conn, &begun, |run| {
                Act::new(
                    &by.id,
                    Some(&by.key),
                    Action::PayoutsCollected,
                    run.id.as_str(),
                    now,
                )
                .saying(&json!({ "program_id": run.program_id }))
            })?;
            Ok(begun)
        })
        .await?;
    let (is_new, run) = match begun {
        Recorded::New(run) => (true, run),
        Recorded::Replayed(run) => (false, run),
    };
    let run = payday::finish(&app, run, Some(account.key)).await?;
    let view = app
        .db
        .read_at_length(move |conn| CollectionView::of(conn, run))
        .await?;
    let recorded = match is_new {
        true => Recorded::New(view),
        false => Recorded::Replayed(view),
    };
    Ok(Created::new(recorded, |view| view))
}

/// What a run would pay, looked up in steps.
async fn would_pay(app: &App, program: Program) -> Result<CollectionView, Error> {
    let mut view = CollectionView::dry_run(program.id.clone());
    let mut reached: Option<AmbassadorId> = None;
    loop {
        let (of, after) = (program.clone(), reached);
        let (foreseen, last) = app
            .db
            .read_at_length(move |conn| foresee(conn, &of, after.as_ref()))
            .await?;
        for payout in foreseen {
            view.add(payout);
        }
        if last.is_none() {
            return Ok(view);
        }
        reached = last;
    }
}

/// List collections
#[utoipa::path(get, path = "/api/v1/payouts/collections", tag = "Payouts", operation_id = "listCollections",
    params(CollectionQuery, PageParams),
    responses((status = 200, description = "A page of collections", body = CollectionList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<CollectionQuery>,
) -> Result<Listing<CollectionList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = CollectionFilter {
        program_id: filter.program_id,
    };
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| with_totals(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, CollectionSummary::from).await
}

fn with_totals(
    conn: &mut DbConnection,
    account: &AccountId,
    filter: &CollectionFilter,
    page: &Page,
) -> QueryResult<Vec<(Collection, Vec<Total>)>> {
    let runs = collection_queries::list(conn, account, filter, page)?;
    let ids = runs.iter().map(|run| run.id.clone()).collect();
    let mut totals: BTreeMap<CollectionId, Vec<Total>> = BTreeMap::new();
    for (id, total) in collection_queries::totals(conn, account, ids)? {
        totals.entry(id).or_default().push(total);
    }
    let with = |run: Collection| {
        let totals = totals.remove(&run.id).unwrap_or_default();
        (run, totals)
    };
    Ok(runs.into_iter().map(with).collect())
}

/// Get a collection
#[utoipa::path(get, path = "/api/v1/payouts/collections/{id}", tag = "Payouts", operation_id = "getCollection",
    params(("id" = CollectionId, Path, description = "The collection's id")),
    responses((status = 200, description = "The collection", body = CollectionView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<CollectionId>,
) -> Result<web::Json<CollectionView>, Error> {
    let run = id.find(&app, &account, collection_queries::find).await?;
    let view = app
        .db
        .read_at_length(move |conn| CollectionView::of(conn, run))
        .await?;
    Ok(web::Json(view))
}
