//! `/v1/customers`: the people whom `/v1/referrals` is about.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::errors::{self, VinrRefusals, VinrWriteRefusals};
use super::expand::{Expand, Paths};
use super::page::{PageSize, Part, VinrList};
use super::views::{VinrCustomer, VinrKnown};
use crate::app::App;
use crate::customers::create::create as make;
use crate::customers::edit::edit;
use crate::customers::model::{CustomerChanges, CustomerFilter, NewCustomer};
use crate::customers::queries;
use crate::db::DbConnection;
use crate::dialects::once::{Request, once};
use crate::error::Error;
use crate::http::account::Account;
use crate::http::fields::fields;
use crate::http::form::{Asked, Sent};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::path::PathId;
use crate::idempotency::{Recorded, fingerprint as of};
use crate::ids::{CustomerId, Id};
use crate::invitations::keep_up::keep_up;
use crate::metadata::Metadata;
use crate::replies::model::Said;
use crate::text::{EmailAddress, Name, Phone};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/customers")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/customers/{id}")
                .route(web::get().to(show))
                .route(web::post().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// A new customer.
    #[derive(ToSchema)]
    #[schema(as = VinrCreateCustomer)]
    pub struct CreateCustomer {
        /// The customer's address; no other customer has it.
        pub email: EmailAddress,
        /// The customer's name.
        pub name: Option<Name>,
        /// The customer's telephone number, E.164.
        pub phone: Option<Phone>,
        /// Nothing of a customer that handbill knows can be expanded; `default_payment_method` is taken.
        #[schema(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

fields! {
    /// What is to change; what is left out stays.
    #[derive(ToSchema)]
    #[schema(as = VinrUpdateCustomer)]
    pub struct UpdateCustomer {
        /// A new address.
        pub email: Option<EmailAddress>,
        /// A new name; in JSON null for none.
        #[schema(value_type = Option<Name>)]
        pub name: Option<Option<Name>>,
        /// A new telephone number; in JSON null for none.
        #[schema(value_type = Option<Phone>)]
        pub phone: Option<Option<Phone>>,
        /// Nothing of a customer that handbill knows can be expanded; `default_payment_method` is taken.
        #[schema(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

fields! {
    /// Which customers, newest first.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListCustomers {
        /// Only the one with this address.
        #[param(value_type = Option<String>)]
        pub email: Option<EmailAddress>,
        /// How many, 1 to 100; 10 when left out.
        #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
        pub limit: Option<PageSize>,
        /// The id of the last one seen: those made before it.
        pub starting_after: Option<String>,
        /// The id of the first one seen: those made after it.
        pub ending_before: Option<String>,
        /// `default_payment_method`, which is always null; also as `expand[]`.
        #[param(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

fields! {
    /// What is to be expanded.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ShowCustomer {
        /// `default_payment_method`, which is always null; also as `expand[]`.
        #[param(value_type = Option<Vec<String>>)]
        pub expand: Option<Paths>,
    }
}

/// Create a customer
#[utoipa::path(post, path = "/v1/customers", tag = "VINR", operation_id = "vinrCreateCustomer",
    request_body(content((CreateCustomer = "application/json"), (CreateCustomer = "application/x-www-form-urlencoded"))),
    params(KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 201, description = "The customer", body = VinrCustomer,
        headers(("Idempotent-Replayed" = String, description = "`true` if this was answered before"))),
        VinrWriteRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    sent: Sent<CreateCustomer>,
) -> Result<HttpResponse, Error> {
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account,
        operation: "vinr create customer",
        key: key.or(None)?,
        fingerprint,
        refusal: errors::said,
    };
    let new = body.and_then(|body| {
        Expand::customer(body.expand.as_ref(), false).map_err(super::in_expand)?;
        Ok(NewCustomer {
            email: body.email,
            name: body.name,
            phone: body.phone,
            external_id: None,
            metadata: Metadata::default(),
            retry: None,
        })
    });
    once(&app, asked, move |conn, account, now| {
        let new = new.as_ref().map_err(super::invalid)?;
        let (Recorded::New(customer) | Recorded::Replayed(customer)) =
            make(conn, &account.id, new, now)?;
        Said::new(StatusCode::CREATED, &VinrCustomer::from(customer))
    })
    .await
}

/// Update a customer
#[utoipa::path(post, path = "/v1/customers/{id}", tag = "VINR", operation_id = "vinrUpdateCustomer",
    request_body(content((UpdateCustomer = "application/json"), (UpdateCustomer = "application/x-www-form-urlencoded"))),
    params(("id" = CustomerId, Path, description = "The customer's id"), KeyHeaderParam),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The customer as it is now", body = VinrCustomer), VinrWriteRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    key: KeyHeader,
    id: PathId<CustomerId>,
    sent: Sent<UpdateCustomer>,
) -> Result<HttpResponse, Error> {
    id.find(&app, &account, queries::find).await?;
    let Sent { body, fingerprint } = sent;
    let asked = Request {
        http: &request,
        account,
        operation: "vinr update customer",
        key: key.or(None)?,
        fingerprint: of(&[id.0.as_str(), &fingerprint]),
        refusal: errors::said,
    };
    let changes = body.and_then(|body| {
        Expand::customer(body.expand.as_ref(), false).map_err(super::in_expand)?;
        Ok(CustomerChanges {
            email: body.email,
            name: body.name,
            phone: body.phone,
            ..CustomerChanges::default()
        })
    });
    once(&app, asked, move |conn, account, now| {
        let changes = changes.as_ref().map_err(super::invalid)?;
        let customer = edit(conn, &account.id, &id.0, changes, now)?;
        keep_up(conn, &customer, now)?;
        Said::new(StatusCode::OK, &VinrCustomer::from(customer))
    })
    .await
}

/// Retrieve a customer
#[utoipa::path(get, path = "/v1/customers/{id}", tag = "VINR", operation_id = "vinrGetCustomer",
    params(("id" = CustomerId, Path, description = "The customer's id"), ShowCustomer),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The customer", body = VinrKnown), VinrRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<CustomerId>,
    query: Asked<ShowCustomer>,
) -> Result<web::Json<VinrKnown>, Error> {
    Expand::customer(query.0.expand.as_ref(), false)
        .map_err(|complaint| Error::field("expand", complaint))?;
    let customer = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(customer.into()))
}

/// List customers
#[utoipa::path(get, path = "/v1/customers", tag = "VINR", operation_id = "vinrListCustomers",
    params(ListCustomers),
    security(("apiKey" = []), ("bearerAuth" = [])),
    responses((status = 200, description = "The customers, newest first", body = VinrList<VinrKnown>), VinrRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    query: Asked<ListCustomers>,
) -> Result<web::Json<VinrList<VinrKnown>>, Error> {
    let Asked(query) = query;
    Expand::customer(query.expand.as_ref(), true)
        .map_err(|complaint| Error::field("expand", complaint))?;
    let part = Part::new(query.limit, query.starting_after, query.ending_before)?;
    let filter = CustomerFilter {
        email: query.email,
        external_id: None,
    };
    let load = move |conn: &mut DbConnection| {
        if let Some(cursor) = &part.page.after {
            let id = CustomerId::from_outside(cursor).ok_or_else(|| part.no_such_cursor())?;
            queries::find(conn, &account.id, &id)?.ok_or_else(|| part.no_such_cursor())?;
        }
        let rows = queries::list(conn, &account.id, &filter, &part.page)?;
        let (rows, has_more) = part.list(rows);
        let data = rows.into_iter().map(VinrKnown::from).collect();
        Ok(VinrList::of(data, has_more))
    };
    Ok(web::Json(app.db.read(load).await?))
}
