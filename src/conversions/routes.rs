//! `/api/v1/conversions`: the contract. Ours, in the style of the published operations.

use actix_web::{HttpRequest, web};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{Buyer, ConversionFilter, ConversionKind, NewConversion};
use super::queries;
use super::record::record;
use super::view::ConversionView;
use crate::app::App;
use crate::bounds::narrow;
use crate::clock::Timestamp;
use crate::coupons::model::CouponCode;
use crate::db::DbConnection;
use crate::db::page::Page;
use crate::error::Error;
use crate::http::account::{Account, Caller};
use crate::http::answer::{self, Created, Listing, list_of};
use crate::http::body::Body;
use crate::http::fields::{SentMetadata, fields};
use crate::http::idempotency::{KeyHeader, KeyHeaderParam};
use crate::http::openapi::{CreateRefusals, ListRefusals, ShowRefusals};
use crate::http::path::PathId;
use crate::http::query::{Filter, ListQuery, PageParams};
use crate::idempotency::{Retry, fingerprint};
use crate::ids::{AmbassadorId, ConversionId, ProgramId, ReferralId, Wanted};
use crate::money::{Cents, Currency};
use crate::parse::Complaint;
use crate::text::{EmailAddress, ExternalId, IdempotencyKey, OrderId};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes
        .service(
            web::resource("/conversions")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(web::resource("/conversions/{id}").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list, create, show))]
pub struct Docs;

fields! {
    /// Which conversions. Filters combine.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ConversionQuery {
        /// Only this referral's (also spelt `referralId`).
        #[param(value_type = Option<String>, example = "ref_123abc")]
        pub referral_id = "referral_id" | "referralId": Option<Wanted<ReferralId>>,
        /// Only this program's (also spelt `programId`).
        #[param(value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "program_id" | "programId": Option<Wanted<ProgramId>>,
        /// Only this ambassador's (also spelt `studentId`).
        #[param(value_type = Option<String>, example = "user_123abc")]
        pub student_id = "student_id" | "studentId": Option<Wanted<AmbassadorId>>,
        /// Only this order (also spelt `orderId`).
        #[param(value_type = Option<String>)]
        pub order_id = "order_id" | "orderId": Option<OrderId>,
        /// Only of this kind.
        pub kind: Option<ConversionKind>,
    }
}

narrow!(ConversionQuery);

impl Filter for ConversionQuery {
    type Id = ConversionId;
}

fields! {
    /// A purchase of a referred person. Name the person in one way: `referral_id`, or the signup's `email`, or your
    /// own `external_id` of the signup, or leave that to the `coupon_code` of a customer who was brought by another. If somebody signed up more than once, the first signup that was not rejected
    /// counts.
    #[derive(ToSchema)]
    #[schema(example = json!({
        "referral_id": "ref_123abc", "order_id": "order_771", "amount": 5500, "currency": "USD", "kind": "purchase",
        "occurred_at": "2024-01-18T11:00:00Z", "metadata": {"plan": "pro"}
    }))]
    pub struct CreateConversion {
        /// The signup of who bought.
        pub referral_id: Option<ReferralId>,
        /// The address of who bought.
        pub email: Option<EmailAddress>,
        /// Your own name for who bought, given at signup.
        pub external_id: Option<ExternalId>,
        /// The coupon it was bought with. It has to be who bought that it was given to, and it can be used once.
        pub coupon_code: Option<CouponCode>,
        /// Where to look for the person, if they may have signed up in several programs.
        pub program_id: Option<ProgramId>,
        /// Your own. The same order again is the same conversion, for ever.
        pub order_id: OrderId,
        /// What was paid for, in minor units: 5500 is 55.00.
        #[schema(value_type = i64, minimum = 1, maximum = 99_999_999_999_i64)]
        pub amount: Cents,
        /// The program's payout currency when left out.
        pub currency: Option<Currency>,
        /// `purchase` when left out.
        pub kind: Option<ConversionKind>,
        /// When it was bought, if that is not now; not more than a day in the future.
        pub occurred_at: Option<Timestamp>,
        /// Your own.
        pub metadata: Option<SentMetadata>,
        /// Makes a retry the same request; `order_id` does that too.
        pub idempotency_key: Option<IdempotencyKey>,
    }
}

impl CreateConversion {
    fn buyer(&self) -> Result<Buyer, Error> {
        let named = [
            self.referral_id.clone().map(Buyer::Referral),
            self.email.clone().map(Buyer::Email),
            self.external_id.clone().map(Buyer::External),
        ];
        let mut named = named.into_iter().flatten();
        match (named.next(), named.next()) {
            (Some(buyer), None) => Ok(buyer),
            (None, _) if self.coupon_code.is_some() => Ok(Buyer::Coupon),
            (None, _) => Err(Error::field("referral_id", Complaint::Missing)),
            (Some(_), Some(_)) => Err(Error::field(
                "referral_id",
                Complaint::new(
                    "ambiguous_person",
                    "must not be given together with email or external_id: name the person in one way",
                ),
            )),
        }
    }
}

list_of! {
    /// A page of conversions.
    pub struct ConversionList {
        /// The conversions, in the order in which they were reported.
        pub conversions: Vec<ConversionView>
    }
}

/// List conversions
#[utoipa::path(get, path = "/api/v1/conversions", tag = "Conversions", operation_id = "listConversions",
    params(ConversionQuery, PageParams),
    responses((status = 200, description = "A page of conversions", body = ConversionList), ListRefusals))]
async fn list(
    app: web::Data<App>,
    account: Caller,
    request: HttpRequest,
    query: ListQuery<ConversionQuery>,
) -> Result<Listing<ConversionList>, Error> {
    let ListQuery { filter, page } = query;
    let filter = ConversionFilter {
        referral_id: filter.referral_id,
        program_id: filter.program_id,
        ambassador_id: filter.student_id,
        order_id: filter.order_id,
        kind: filter.kind,
    };
    let stable = Some(format!("{} {filter:?}", account.id));
    let rows =
        move |conn: &mut DbConnection, page: &Page| queries::list(conn, &account.id, &filter, page);
    answer::list(&app, &request, page, stable, rows, ConversionView::from).await
}

/// Report a purchase
///
/// Its commission is computed by the program's rules and recorded as an earning, a pending referral becomes converted
/// (unless the program leaves that to you), and refunds that came before it are applied, all at once.
#[utoipa::path(post, path = "/api/v1/conversions", tag = "Conversions", operation_id = "createConversion",
    request_body = CreateConversion,
    params(KeyHeaderParam),
    responses((status = 200, description = "The conversion, as it is now", body = ConversionView,
        headers(("Idempotent-Replayed" = String, description = "`true` if the order was reported before"))),
        CreateRefusals))]
async fn create(
    app: web::Data<App>,
    account: Account,
    key: KeyHeader,
    body: Body<CreateConversion>,
) -> Result<Created<ConversionView>, Error> {
    let Body(body) = body;
    let buyer = body.buyer()?;
    let kind = body.kind.unwrap_or(ConversionKind::Purchase);
    let who = match &buyer {
        Buyer::Referral(id) => id.as_str().to_owned(),
        Buyer::Email(email) => email.folded(),
        Buyer::External(id) => id.as_str().to_owned(),
        Buyer::Coupon => String::new(),
    };
    let amount = body.amount.get().to_string();
    let currency = body.currency.as_ref().map_or("", Currency::as_str);
    let mut parts = vec![
        &*who,
        body.order_id.as_str(),
        &*amount,
        currency,
        kind.as_str(),
    ];
    parts.extend(body.coupon_code.as_ref().map(CouponCode::as_str));
    let fingerprint = fingerprint(&parts);
    let retry = key.or(body.idempotency_key)?.map(|key| Retry {
        fingerprint: fingerprint.clone(),
        key,
    });
    let new = NewConversion {
        buyer,
        coupon_code: body.coupon_code,
        program_id: body.program_id,
        order_id: body.order_id,
        kind,
        amount: body.amount,
        currency: body.currency,
        occurred_at: body.occurred_at,
        metadata: SentMetadata::kept(body.metadata)?,
        retry,
        fingerprint,
    };
    let recorded = app
        .db
        .write(move |conn, now| record(conn, &account.id, &account.key, &new, now))
        .await?;
    Ok(Created::new(recorded, ConversionView::from))
}

/// Get a conversion
#[utoipa::path(get, path = "/api/v1/conversions/{id}", tag = "Conversions", operation_id = "getConversion",
    params(("id" = ConversionId, Path, description = "The conversion's id")),
    responses((status = 200, description = "The conversion", body = ConversionView), ShowRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    id: PathId<ConversionId>,
) -> Result<web::Json<ConversionView>, Error> {
    let conversion = id.find(&app, &account, queries::find).await?;
    Ok(web::Json(conversion.into()))
}
