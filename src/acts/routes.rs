//! `/api/v1/audit-log`: the contract. It is only read; nobody can write to it but by doing something.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{Act, ActFilter, Action};
use super::queries;
use crate::app::App;
use crate::bounds::narrow;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Listing, list_of};
use crate::http::fields::fields;
use crate::http::openapi::ListRefusals;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::ids::{ActId, ApiKeyId, ObjectId, Wanted};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/audit-log").route(web::get().to(list)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Docs;

fields! {
    /// Which acts. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct AuditLogFilter {
        /// Only of this kind.
        pub action: Option<Action>,
        /// Only what was done to this.
        #[param(value_type = Option<String>, example = "ref_123abc")]
        pub object_id: Option<Wanted<ObjectId>>,
        /// Only what was done with this key.
        #[param(value_type = Option<String>)]
        pub by: Option<Wanted<ApiKeyId>>,
        /// Only what was done then or later.
        pub from: Option<Timestamp>,
        /// Only what was done before.
        pub to: Option<Timestamp>,
    }
}

impl Filter for AuditLogFilter {
    type Id = ActId;
}

narrow!(AuditLogFilter: never);

/// Something that was done.
#[derive(Serialize, ToSchema)]
#[schema(as = Act, example = json!({
    "id": "act_0h5m8k2q9sx7v3n1b6tz", "action": "referral.updated", "object_id": "ref_123abc",
    "by": "key_0h5m8k2q9sx7v3n1b6tz", "details": {"status": "verified"}, "created_at": "2024-01-18T14:45:00Z"
}))]
pub struct ActView {
    /// `act_…`
    pub id: ActId,
    /// What was done.
    pub action: Action,
    /// To what.
    pub object_id: String,
    /// With which API key; null: at the command line, by whoever runs the server.
    #[schema(required)]
    pub by: Option<ApiKeyId>,
    /// More about it. Nothing personal.
    #[schema(value_type = Object)]
    pub details: Box<RawValue>,
    /// When.
    pub created_at: Timestamp,
}

impl From<Act> for ActView {
    fn from(act: Act) -> Self {
        Self {
            id: act.id,
            action: act.action,
            object_id: act.object_id,
            by: act.acted_by,
            // It was checked when it was stored.
            details: RawValue::from_string(act.details).unwrap_or_default(),
            created_at: act.created_at,
        }
    }
}

list_of! {
    /// A page of the audit log.
    pub struct AuditLog {
        /// What was done, oldest first.
        pub acts: Vec<ActView>
    }
}

/// Read the audit log
///
/// What was done by those who run the programs: decisions, edits, payouts, keys, endpoints, erasures. Only ever added to.
#[utoipa::path(get, path = "/api/v1/audit-log", tag = "Audit log", operation_id = "listAuditLog",
    params(AuditLogFilter, PageParams),
    responses((status = 200, description = "A page of the audit log", body = AuditLog), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<AuditLogFilter>,
) -> Result<Listing<AuditLog>, Error> {
    let ListQuery { filter, page } = query;
    Error::unless_in_order(filter.from, filter.to)?;
    let filter = ActFilter {
        action: filter.action,
        object_id: filter.object_id,
        acted_by: filter.by,
        from: filter.from,
        to: filter.to,
    };
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, ActView::from).await
}
