//! `/api/v1/customers`: the contract. Ours, in the style of the published operations.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::create::create as make;
use super::edit::edit;
use super::model::{CustomerChanges, CustomerFilter, NewCustomer};
use super::queries;
use super::view::CustomerView;
use crate::app::App;
use crate::bounds::narrow;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::CustomerId;
use crate::invitations::keep_up::keep_up;
use crate::text::{EmailAddress, ExternalId, IdempotencyKey, Name, Phone};

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
                .route(web::put().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// Which customers.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct CustomerQuery {
        /// Only the one with this address.
        #[param(value_type = Option<String>)]
        pub email: Option<EmailAddress>,
        /// Only the one that you call so (also spelt `externalId`).
        #[param(value_type = Option<String>)]
        pub external_id = "external_id" | "externalId": Option<ExternalId>,
    }
}

impl Filter for CustomerQuery {
    type Id = CustomerId;
}

narrow!(CustomerQuery: never);

fields! {
    /// A new customer.
    #[derive(ToSchema)]
    #[schema(example = json!({"email": "ines@example.com", "name": "Ines Duarte", "phone": "+351910000000"}))]
    pub struct CreateCustomer {
        /// The customer's address; no other customer has it.
        pub email: EmailAddress,
        /// The customer's name.
        pub name: Option<Name>,
        /// The customer's telephone number.
        pub phone: Option<Phone>,
        /// Your own name for the person; no other customer has it.
        pub external_id: Option<ExternalId>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `name`, `phone` and `external_id`.
    #[derive(ToSchema)]
    pub struct UpdateCustomer {
        /// A new address.
        pub email: Option<EmailAddress>,
        /// A new name, or null for none.
        #[schema(value_type = Option<Name>)]
        pub name: Option<Option<Name>>,
        /// A new telephone number, or null for none.
        #[schema(value_type = Option<Phone>)]
        pub phone: Option<Option<Phone>>,
        /// Another name of your own for the person, or null for none.
        #[schema(value_type = Option<ExternalId>)]
        pub external_id: Option<Option<ExternalId>>,
        /// Keys to set; a key with null is removed.
        pub metadata: Option<SentMetadata>,
    }
}

list_of! {
    /// A page of customers.
    pub struct CustomerList {
        /// The customers, oldest first.
        pub customers: Vec<CustomerView>
    }
}

/// List customers
#[utoipa::path(get, path = "/api/v1/customers", tag = "Customers", operation_id = "listCustomers",
    params(CustomerQuery, PageParams),
    responses((status = 200, description = "A page of customers", body = CustomerList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Account,
    request: HttpRequest,
    query: ListQuery<CustomerQuery>,
) -> Result<Listing<CustomerList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = CustomerFilter {
        email: filter.email,
        external_id: filter.external_id,
    };
    // Addresses change.
    let stable = (filter.email.is_none() && filter.external_id.is_none())
        .then(|| format!("{} customers", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, CustomerView::from).await
}

/// Create a customer
#[utoipa::path(post, path = "/api/v1/customers", tag = "Customers", operation_id = "createCustomer",
    request_body = CreateCustomer,
    params(KeyHeaderParam),
    responses((status = 200, description = "The customer", body = CustomerView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateCustomer>,
) -> Result<Created<CustomerView>, Error> {
    let Body(body) = body;
    let external_id = body.external_id.as_ref().map_or("", ExternalId::as_str);
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[&body.email.folded(), external_id]),
        key,
    });
    let new = NewCustomer {
        email: body.email,
        name: body.name,
        phone: body.phone,
        external_id: body.external_id,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
    };
    let recorded = app
        .db
        .write(move |conn, now| make(conn, &account.id, &new, now))
        .await?;
    Ok(Created::new(recorded, CustomerView::from))
}

/// Get a customer
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "Customers", operation_id = "getCustomer",
    params(("id" = CustomerId, Path, description = "The customer's id")),
    responses((status = 200, description = "The customer", body = CustomerView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Account,
    id: PathId<CustomerId>,
) -> Result<web::Json<CustomerView>, Error> {
    let customer = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(customer.into()))
}

/// Update a customer
#[utoipa::path(put, path = "/api/v1/customers/{id}", tag = "Customers", operation_id = "updateCustomer",
    request_body = UpdateCustomer,
    params(("id" = CustomerId, Path, description = "The customer's id")),
    responses((status = 200, description = "The customer as it is now", body = CustomerView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Account,
    id: PathId<CustomerId>,
    body: Result<Body<UpdateCustomer>, Error>,
) -> Result<web::Json<CustomerView>, Error> {
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = CustomerChanges {
        email: body.email,
        name: body.name,
        phone: body.phone,
        external_id: body.external_id,
        metadata: SentMetadata::change(body.metadata, app.config.metadata_update),
    };
    let customer = app
        .db
        .write(move |conn, now| {
            let customer = edit(conn, &account.id, &id.0, &changes, now)?;
            keep_up(conn, &customer, now)?;
            Ok(customer)
        })
        .await?;
    Ok(web::Json(customer.into()))
}
