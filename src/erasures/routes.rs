//! `/api/v1/referrals/{id}/personal-data`, and the same of users and customers: the contract.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::everywhere::everywhere;
use super::person::Person;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::openapi::ShowRefusals;
use crate::http::path::PathId;
use crate::ids::{AmbassadorId, CustomerId, ReferralId};
use crate::{ambassadors, customers, referrals};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/referrals/{id}/personal-data").route(web::delete().to(erase_referral)),
        )
        .service(web::resource("/users/{id}/personal-data").route(web::delete().to(erase_user)))
        .service(
            web::resource("/customers/{id}/personal-data").route(web::delete().to(erase_customer)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(erase_referral, erase_user, erase_customer))]
pub struct Docs;

/// Nothing personal is left of somebody.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": "ref_123abc", "erased_at": "2024-01-18T14:45:00Z"}))]
pub struct Erasure {
    /// Whom it was about. The object stays, with its amounts and statuses.
    pub id: String,
    /// Since when.
    pub erased_at: Timestamp,
}

/// Erase a person who signed up
///
/// Names, address, picture, `external_id`, metadata, notes and the scan's address and user agent are gone, here and in every
/// event and delivery; ids, amounts, dates and statuses stay. There is no way back. Asked again, what came after goes too.
#[utoipa::path(delete, path = "/api/v1/referrals/{id}/personal-data", tag = "Referrals",
    operation_id = "eraseReferral",
    params(("id" = ReferralId, Path, description = "The referral's id")),
    responses((status = 200, description = "It is gone", body = Erasure), ShowRefusals))]
async fn erase_referral(
    app: web::Data<App>,
    account: Account,
    id: PathId<ReferralId>,
) -> Result<web::Json<Erasure>, Error> {
    id.find(&app, &account, referrals::queries::find).await?;
    answer(&app, account, Person::Referral(id.0)).await
}

/// Erase an ambassador
///
/// Names, address, picture and metadata are gone, and notes, descriptions and metadata of what the ambassador earned and was
/// paid, here and in every event and delivery; posters, ids, amounts, dates and statuses stay. There is no way back.
#[utoipa::path(delete, path = "/api/v1/users/{id}/personal-data", tag = "Users", operation_id = "eraseUser",
    params(("id" = AmbassadorId, Path, description = "The ambassador's id")),
    responses((status = 200, description = "It is gone", body = Erasure), ShowRefusals))]
async fn erase_user(
    app: web::Data<App>,
    account: Account,
    id: PathId<AmbassadorId>,
) -> Result<web::Json<Erasure>, Error> {
    id.find(&app, &account, ambassadors::queries::find).await?;
    answer(&app, account, Person::Ambassador(id.0)).await
}

/// Erase a customer
///
/// The address, name, telephone number, `external_id` and metadata are gone; and so is what is personal about the signup by
/// which the customer was brought, and about the record of those that the customer brought. There is no way back.
#[utoipa::path(delete, path = "/api/v1/customers/{id}/personal-data", tag = "Customers", operation_id = "eraseCustomer",
    params(("id" = CustomerId, Path, description = "The customer's id")),
    responses((status = 200, description = "It is gone", body = Erasure), ShowRefusals))]
async fn erase_customer(
    app: web::Data<App>,
    account: Account,
    id: PathId<CustomerId>,
) -> Result<web::Json<Erasure>, Error> {
    id.find(&app, &account, customers::queries::find).await?;
    answer(&app, account, Person::Customer(id.0)).await
}

async fn answer(app: &App, account: Account, person: Person) -> Result<web::Json<Erasure>, Error> {
    let (owner, key) = (&account.id, Some(&account.key));
    let erased_at = everywhere((&app.db, &app.config.webhooks.keys), owner, key, &person).await?;
    let id = person.id().to_owned();
    Ok(web::Json(Erasure { id, erased_at }))
}
