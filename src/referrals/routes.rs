//! `/api/v1/referrals`: the contract. All four operations are published.

use std::time::Duration;

use actix_web::{HttpRequest, web};
use serde_json::json;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::decide::decide;
use super::model::{NewReferral, ReferralChanges, ReferralFilter, ReferralStatus};
use super::queries;
use super::record::Signup;
use super::view::ReferralView;
use crate::acts::model::{Act, Action};
use crate::acts::note::note_if_changed;
use crate::app::App;
use crate::bounds::narrow;
use crate::clock::Timestamp;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::db::state::Matter;
use crate::error::Error;
use crate::http::account::{Caller, Sees};
use crate::http::answer::{self, Created, Listing, Shown, list_of};
use crate::http::body::{Body, for_existing};
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals, UpdateRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{AmbassadorId, Id, ImpressionId, ProgramId, ReferralId, Wanted};
use crate::impressions;
use crate::text::{EmailAddress, ExternalId, IdempotencyKey, Name, Paragraph, WebUrl};

/// How long a signup waits for its turn at the database.
const PATIENCE: Duration = Duration::from_secs(3);

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/referrals")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            web::resource("/referrals/{id}")
                .route(web::get().to(show))
                .route(web::put().to(update)),
        );
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, update))]
pub struct Docs;

fields! {
    /// Which referrals. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ReferralQuery {
        /// Only this program's (also spelt `program_id`).
        #[param(rename = "programId", value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "programId" | "program_id": Option<Wanted<ProgramId>>,
        /// Only this ambassador's (also spelt `student_id`).
        #[param(rename = "studentId", value_type = Option<String>, example = "user_123abc")]
        pub student_id = "studentId" | "student_id": Option<Wanted<AmbassadorId>>,
        /// Only those that stand there.
        pub status: Option<ReferralStatus>,
    }
}

narrow!(ReferralQuery);

impl Filter for ReferralQuery {
    type Id = ReferralId;
}

fields! {
    /// A signup. Program and ambassador are the impression's.
    #[derive(ToSchema)]
    #[schema(example = json!({
        "impression_id": "imp_123abc", "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
        "metadata": {"source": "poster_qr_code"}, "idempotency_key": "signup_8731"
    }))]
    pub struct CreateReferral {
        /// The scan that led to it.
        pub impression_id: ImpressionId,
        /// The person's first name.
        pub first_name: Name,
        /// The person's last name.
        pub last_name: Name,
        /// The person's address.
        pub email: EmailAddress,
        /// Where a picture is. It is never fetched.
        pub profile_picture: Option<WebUrl>,
        /// Your own name for the person; conversions may use it.
        pub external_id: Option<ExternalId>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request, for ever.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

fields! {
    /// What is to change; what is left out stays. Null empties `profile_picture` and `external_id`.
    #[derive(ToSchema)]
    #[schema(example = json!({"status": "verified", "metadata": {"verification_notes": "called back"}}))]
    pub struct UpdateReferral {
        /// A new first name.
        pub first_name: Option<Name>,
        /// A new last name.
        pub last_name: Option<Name>,
        /// A new address.
        pub email: Option<EmailAddress>,
        /// A new picture, or null for none.
        #[schema(value_type = Option<WebUrl>)]
        pub profile_picture: Option<Option<WebUrl>>,
        /// Another name of your own for the person, or null for none.
        #[schema(value_type = Option<ExternalId>)]
        pub external_id: Option<Option<ExternalId>>,
        /// pending → converted, verified, rejected; converted → verified, rejected; verified → converted,
        /// rejected; rejected → pending. The same again changes nothing.
        pub status: Option<ReferralStatus>,
        /// When it was verified, if that is not now.
        pub verified_at: Option<Timestamp>,
        /// Keys to set; a key with null is removed.
        pub metadata: Option<SentMetadata>,
        /// Why the status moves; kept in the history.
        pub note: Option<Paragraph>,
    }
}

list_of! {
    /// A page of referrals.
    pub struct ReferralList {
        /// The referrals, oldest first.
        pub referrals: Vec<ReferralView>
    }
}

/// List referrals
#[utoipa::path(get, path = "/api/v1/referrals", tag = "Referrals", operation_id = "listReferrals",
    params(ReferralQuery, PageParams),
    responses((status = 200, description = "A page of referrals", body = ReferralList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<ReferralQuery>,
) -> Result<Listing<ReferralList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = ReferralFilter {
        program_id: filter.program_id,
        ambassador_id: filter.student_id,
        status: filter.status,
    };
    // Statuses change.
    let stable = filter
        .status
        .is_none()
        .then(|| format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    let listing = answer::list(&app, &request, page, stable, rows, ReferralView::from).await?;
    Ok(listing.but_of_scans())
}

/// Record a signup
#[utoipa::path(post, path = "/api/v1/referrals", tag = "Referrals", operation_id = "createReferral",
    request_body = CreateReferral,
    params(KeyHeaderParam),
    responses((status = 200, description = "The referral, as it is now", body = ReferralView,
        headers(("Idempotent-Replayed" = String, description = "`true` if an earlier request with this key made it"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Caller,
    key: KeyHeader,
    body: Body<CreateReferral>,
) -> Result<Created<ReferralView>, Error> {
    let Body(body) = body;
    account
        .admit(
            &app,
            "impression_id",
            &body.impression_id,
            impressions::queries::find,
        )
        .await?;
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint(&[
            body.impression_id.as_str(),
            body.first_name.as_str(),
            body.last_name.as_str(),
            &body.email.folded(),
        ]),
        key,
    });
    let new = NewReferral {
        impression_id: body.impression_id,
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        profile_picture: body.profile_picture,
        external_id: body.external_id,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
    };
    let signup = Signup {
        account_id: account.id,
        id: None,
        new,
    };
    let recorded = app
        .db
        .write_together(&app.signups, signup, PATIENCE)
        .await
        .map_err(|not_written| not_written.error)??;
    Ok(Created::new(account.given(recorded)?, ReferralView::from))
}

/// Get a referral
#[utoipa::path(get, path = "/api/v1/referrals/{id}", tag = "Referrals", operation_id = "getReferral",
    params(("id" = ReferralId, Path, description = "The referral's id")),
    responses((status = 200, description = "The referral", body = ReferralView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ReferralId>,
) -> Result<Shown<ReferralView>, Error> {
    let referral = app
        .db
        .read_together(&app.referrals, (account.id, id.0))
        .await?;
    let referral = referral.filter(|row| account.sees(row));
    let referral = referral.ok_or(Error::NotFound(ReferralId::NOUN))?;
    Ok(Shown(referral.into(), Matter::ButScans))
}

/// Decide or correct a referral
#[utoipa::path(put, path = "/api/v1/referrals/{id}", tag = "Referrals", operation_id = "updateReferral",
    request_body = UpdateReferral,
    params(("id" = ReferralId, Path, description = "The referral's id")),
    responses((status = 200, description = "The referral as it is now", body = ReferralView), UpdateRefusals))]
async fn update(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ReferralId>,
    body: Result<Body<UpdateReferral>, Error>,
) -> Result<web::Json<ReferralView>, Error> {
    id.held_by(&account, &app, queries::find).await?;
    let body = for_existing(body, id.find(&app, &account, queries::find)).await?;
    let changes = ReferralChanges {
        first_name: body.first_name,
        last_name: body.last_name,
        email: body.email,
        profile_picture: body.profile_picture,
        external_id: body.external_id,
        status: body.status,
        verified_at: body.verified_at,
        metadata: SentMetadata::change(body.metadata, app.config.metadata_update),
        note: body.note,
    };
    let referral = app
        .db
        .write(move |conn, now| {
            let before = queries::find_to_change(conn, &account.id, &id.0)?;
            let after = decide(conn, &account.id, &account.key, &id.0, &changes, now)?;
            let decided = before.as_ref().is_none_or(|before| {
                (before.status, before.verified_at) != (after.status, after.verified_at)
            });
            if account.is_one_ambassadors() && decided {
                // It would move money that is the ambassador's own. The error takes it all back.
                return Err(Error::out_of_bounds());
            }
            let act = Act::new(
                &account.id,
                Some(&account.key),
                Action::ReferralUpdated,
                id.0.as_str(),
                now,
            )
            .saying(&json!({ "status": after.status }));
            note_if_changed(conn, before.as_ref(), &after, &act)?;
            Ok(after)
        })
        .await?;
    Ok(web::Json(referral.into()))
}
