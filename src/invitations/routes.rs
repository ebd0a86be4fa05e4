//! `/api/v1/customers/{id}/invitation`: a customer's personal link.

use actix_web::web;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::invite::invite as make;
use super::model::Link;
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::account::Account;
use crate::http::openapi::UpdateRefusals;
use crate::http::path::PathId;
use crate::ids::{AmbassadorId, CustomerId, PosterId, ProgramId};
use crate::posters::model::PosterCode;

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/customers/{id}/invitation").route(web::post().to(invite)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(invite))]
pub struct Docs;

/// A customer's personal link, and what is behind it.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation, example = json!({
    "customer_id": "cust_0h5m8k2q9sx7v3n1b6tz", "link": "http://localhost:3000/q/K7QX4MPDCT", "code": "K7QX4MPDCT",
    "program_id": "prog_123abc", "student_id": "user_123abc", "poster_id": "poster_123abc",
    "created_at": "2024-01-10T09:00:00Z"
}))]
pub struct InvitationView {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What the customer sends to others: leads to the program's landing page, and remembers who brought them.
    #[schema(format = "uri")]
    pub link: String,
    /// What the link ends with.
    pub code: PosterCode,
    /// The program for customers.
    pub program_id: ProgramId,
    /// What the customer earns by bringing others is this ambassador's.
    pub student_id: AmbassadorId,
    /// The link as a poster that is never printed.
    pub poster_id: PosterId,
    /// When it was first asked for.
    pub created_at: Timestamp,
}

impl InvitationView {
    fn new(link: Link, public_url: &str) -> Self {
        let Link {
            invitation, code, ..
        } = link;
        Self {
            customer_id: invitation.customer_id,
            link: code.scan_url(public_url),
            code,
            program_id: invitation.program_id,
            student_id: invitation.ambassador_id,
            poster_id: invitation.poster_id,
            created_at: invitation.created_at,
        }
    }
}

/// Get or make a customer's personal link
///
/// The same link every time. If the account has no program for customers yet, it is made.
#[utoipa::path(post, path = "/api/v1/customers/{id}/invitation", tag = "Customers", operation_id = "inviteByCustomer",
    params(("id" = CustomerId, Path, description = "The customer's id")),
    responses((status = 200, description = "The link", body = InvitationView), UpdateRefusals))]
async fn invite(
    app: web::Data<App>,
    account: Account,
    id: PathId<CustomerId>,
) -> Result<web::Json<InvitationView>, Error> {
    let public_url = app.public_url.clone();
    let link = app
        .db
        .write(move |conn, now| make(conn, (&account.id, &account.key), &id.0, &public_url, now))
        .await?;
    Ok(web::Json(InvitationView::new(link, &app.public_url)))
}
