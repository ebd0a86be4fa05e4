//! What a request can reach, and the route table: one line per noun. `main` and every test build the
//! application here.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web;
use utoipa::OpenApi;
use utoipa::openapi::SecurityRequirement;

use crate::api_keys::authenticate::{Opened, authenticate};
use crate::api_keys::scope::Scope;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::db::positions::Positions;
use crate::db::recent::Recent;
use crate::db::state::Matter;
use crate::db::together::Together;
use crate::error::Error;
use crate::http::admission::Admission;
use crate::http::edge::edge;
use crate::http::metrics::{self, Metrics};
use crate::http::openapi::Base;
use crate::http::rate_limit::RateLimit;
use crate::http::remembered::{Answers, remembered};
use crate::http::strangers::Strangers;
use crate::http::surface::{self, Surface};
use crate::http::{browsers, docs_page, operations};
use crate::ids::ImpressionId;
use crate::impressions::hanging::Hanging;
use crate::impressions::journal::Journal;
use crate::impressions::scan::{self, Scan};
use crate::posters::model::PosterCode;
use crate::referrals::model::Referral;
use crate::referrals::queries::Sought;
use crate::referrals::record::{self, Outcome, Signup};
use crate::webhooks::guard::Guard;
use crate::webhooks::send::Sender;
use crate::{
    acts, ambassadors, api_keys, conversions, coupons, customers, dialects, earnings, erasures,
    events, impressions, introductions, invitations, ledger, payouts, posters, programs, referrals,
    refunds, rules, stats, webhooks,
};

/// Where the API lives.
pub const SURFACE: &str = "/api/v1/";

/// The parts of the address space that speak a dialect of their own.
pub static SURFACES: [Surface; 2] = [dialects::vinr::SURFACE, dialects::joy::SURFACE];

/// What a request can reach. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// What URLs of ours begin with, without a slash at the end.
    pub public_url: String,
    /// What is let in at the same time.
    pub admission: Admission,
    /// Requests per key, if they are limited.
    pub rate_limit: Option<RateLimit>,
    /// Requests per address without a key that works, if they are limited.
    pub strangers: Option<Strangers>,
    /// Whose key has this hash.
    pub keys: Recent<String, Opened>,
    /// The posters that hang.
    pub hanging: Recent<PosterCode, Arc<Hanging>>,
    /// Scans on their way into the database.
    pub scans: Together<Arc<Scan>, ImpressionId>,
    /// Scans that have to wait for the database.
    pub journal: Journal,
    /// Referrals that somebody asks for by their ids.
    pub referrals: Together<Sought, Option<Referral>>,
    /// Signups on their way into the database.
    pub signups: Together<Signup, Outcome>,
    /// What is counted for whoever watches the server.
    pub metrics: Metrics,
    /// Sends events to who wants to hear of them.
    pub webhooks: Sender,
    /// Answers that are right as long as nothing was written.
    pub answers: Arc<Answers>,
    /// Where some rows stand in long lists.
    pub positions: Arc<Positions>,
}

impl App {
    /// The application's state, reachable from outside at `public_url`.
    pub fn new(db: Db, clock: Clock, config: Config, public_url: String) -> Self {
        let rate_limit = config.rate_limit.map(RateLimit::new);
        let strangers = config.wrong_key_limit.map(Strangers::new);
        Self {
            journal: Journal::at(config.scan_journal(), config.scan_journal_bytes),
            webhooks: Sender::new(
                Guard::allowing(&config.webhooks.allow_networks),
                config.webhooks.authorities.0.clone(),
            ),
            admission: Admission::within(&config.limits),
            db,
            clock,
            config: Arc::new(config),
            public_url,
            rate_limit,
            keys: Recent::default(),
            hanging: Recent::default(),
            scans: Together::by(scan::scan, Matter::Scans),
            referrals: Together::by(referrals::queries::find_each, Matter::Nothing),
            signups: Together::by(record::record, Matter::Anything),
            answers: Arc::default(),
            positions: Arc::default(),
            metrics: Metrics::default(),
            strangers,
        }
    }
}

/// The whole application: state, routes, and what surrounds every request.
pub fn build(
    app: App,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    actix_web::App::new()
        .configure(|service| routes(service, &app.config))
        .app_data(web::Data::new(app))
        .default_service(web::to(nothing_here))
        .wrap(from_fn(edge))
}

/// The route table.
fn routes(routes: &mut web::ServiceConfig, config: &Config) {
    if config.metrics_bind.is_none() {
        routes.configure(metrics::configure);
    }
    routes
        .configure(impressions::scan_routes::configure)
        .service(
            web::scope("/api/v1/public")
                .configure(programs::public_routes::configure)
                .configure(stats::public_routes::configure)
                .default_service(web::to(nothing_here))
                .wrap(from_fn(authenticate))
                .wrap(browsers::allowed(&config.browser_origins)),
        )
        .service(
            web::scope("/api/v1")
                .configure(referrals::routes::configure) // first, because they are looked for one after the other
                .configure(api_keys::routes::configure)
                .configure(programs::routes::configure)
                .configure(rules::routes::configure)
                .configure(rules::preview_routes::configure)
                .configure(ambassadors::routes::configure)
                .configure(posters::routes::configure)
                .configure(impressions::routes::configure)
                .configure(conversions::routes::configure)
                .configure(refunds::routes::configure)
                .configure(referrals::history_routes::configure)
                .configure(invitations::routes::configure)
                .configure(customers::routes::configure)
                .configure(introductions::routes::configure)
                .configure(coupons::routes::configure)
                .configure(earnings::routes::configure)
                .configure(earnings::history_routes::configure)
                .configure(payouts::collection_routes::configure)
                .configure(payouts::csv_routes::configure)
                .configure(payouts::routes::configure)
                .configure(payouts::history_routes::configure)
                .configure(earnings::explain_routes::configure)
                .configure(ledger::routes::configure)
                .configure(ledger::balance_routes::configure)
                .configure(ledger::statement_routes::configure)
                .configure(stats::routes::configure)
                .configure(acts::routes::configure)
                .configure(erasures::routes::configure)
                .configure(events::routes::configure)
                .configure(webhooks::action_routes::configure)
                .configure(webhooks::delivery_routes::configure)
                .configure(webhooks::routes::configure)
                .default_service(web::to(nothing_here))
                .wrap(from_fn(remembered))
                .wrap(from_fn(authenticate)),
        )
        .service(
            web::scope("/v1")
                .configure(dialects::vinr::referral_routes::configure)
                .configure(dialects::vinr::customer_routes::configure)
                .configure(dialects::vinr::event_routes::configure)
                .configure(dialects::vinr::endpoint_routes::configure)
                .default_service(web::to(nothing_here))
                .wrap(from_fn(authenticate)),
        )
        .service(
            web::scope("/rest_api/v2")
                .configure(dialects::joy::routes::configure)
                .default_service(web::to(nothing_here))
                .wrap(from_fn(authenticate)),
        )
        .configure(posters::image_routes::configure)
        .configure(operations::configure)
        .configure(docs_page::configure);
}

async fn nothing_here() -> Result<web::Json<()>, Error> {
    Err(Error::NoSuchPath)
}

/// The OpenAPI document, put together from what each noun says about itself.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = Base::openapi();
    // Not an array: they are large, and would lie on the stack.
    for noun in vec![
        api_keys::routes::Docs::openapi(),
        programs::routes::Docs::openapi(),
        programs::public_routes::Docs::openapi(),
        rules::routes::Docs::openapi(),
        rules::preview_routes::Docs::openapi(),
        ambassadors::routes::Docs::openapi(),
        posters::routes::Docs::openapi(),
        impressions::routes::Docs::openapi(),
        conversions::routes::Docs::openapi(),
        refunds::routes::Docs::openapi(),
        referrals::routes::Docs::openapi(),
        referrals::history_routes::Docs::openapi(),
        invitations::routes::Docs::openapi(),
        customers::routes::Docs::openapi(),
        introductions::routes::Docs::openapi(),
        coupons::routes::Docs::openapi(),
        earnings::routes::Docs::openapi(),
        earnings::history_routes::Docs::openapi(),
        payouts::collection_routes::Docs::openapi(),
        payouts::csv_routes::Docs::openapi(),
        payouts::routes::Docs::openapi(),
        payouts::history_routes::Docs::openapi(),
        earnings::explain_routes::Docs::openapi(),
        ledger::routes::Docs::openapi(),
        ledger::balance_routes::Docs::openapi(),
        ledger::statement_routes::Docs::openapi(),
        stats::routes::Docs::openapi(),
        stats::public_routes::Docs::openapi(),
        acts::routes::Docs::openapi(),
        erasures::routes::Docs::openapi(),
        events::routes::Docs::openapi(),
        webhooks::action_routes::Docs::openapi(),
        webhooks::delivery_routes::Docs::openapi(),
        webhooks::routes::Docs::openapi(),
        dialects::vinr::referral_routes::Docs::openapi(),
        dialects::vinr::customer_routes::Docs::openapi(),
        dialects::vinr::event_routes::Docs::openapi(),
        dialects::vinr::endpoint_routes::Docs::openapi(),
        dialects::joy::routes::Docs::openapi(),
        impressions::scan_routes::Docs::openapi(),
        posters::image_routes::Docs::openapi(),
        operations::Docs::openapi(),
    ] {
        document.merge(noun);
    }
    name_scopes(&mut document);
    document
}

/// Says of every operation which scope it needs.
fn name_scopes(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let (prefix, schemes) = match surface::of(path) {
            Some(surface) => (surface.prefix, surface.schemes),
            None => (SURFACE, &[&["bearerAuth"][..]][..]),
        };
        let Some(path) = path.strip_prefix(prefix) else {
            continue;
        };
        for (method, operation) in [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("DELETE", &mut item.delete),
        ] {
            if let (Some(operation), Some(scope)) = (operation, Scope::of(method, path)) {
                let all = |all: &&[&str]| {
                    let none = SecurityRequirement::default();
                    let scope = scope.to_string();
                    let and = |all: SecurityRequirement, one: &&str| all.add(*one, [scope.clone()]);
                    all.iter().fold(none, and)
                };
                operation.security = Some(schemes.iter().map(all).collect());
            }
        }
    }
}
