//! `/api/v1/stats`: ours. The funnel from scan to verified signup, in all and by day.

use actix_web::web;
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{CountsOfDay, StatsFilter};
use super::queries;
use crate::app::App;
use crate::bounds::narrow;
use crate::clock::Day;
use crate::error::Error;
use crate::http::account::Caller;
use crate::http::fields::fields;
use crate::http::openapi::ListRefusals;
use crate::http::query::Query;
use crate::ids::{AmbassadorId, PosterId, ProgramId, Wanted};

/// The routes.
pub fn configure(routes: &mut web::ServiceConfig) {
    routes.service(web::resource("/stats").route(web::get().to(show)));
}

/// The operations in the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(show))]
pub struct Docs;

fields! {
    /// Which counts.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct StatsQuery {
        /// Only this program's (also spelt `program_id`).
        #[param(rename = "programId", value_type = Option<String>, example = "prog_123abc")]
        pub program_id = "programId" | "program_id": Option<Wanted<ProgramId>>,
        /// Only this poster's (also spelt `poster_id`).
        #[param(rename = "posterId", value_type = Option<String>, example = "poster_123abc")]
        pub poster_id = "posterId" | "poster_id": Option<Wanted<PosterId>>,
        /// Only this ambassador's (also spelt `student_id`).
        #[param(rename = "studentId", value_type = Option<String>, example = "user_123abc")]
        pub student_id = "studentId" | "student_id": Option<Wanted<AmbassadorId>>,
        /// The first day, UTC; 30 days before the last one when left out.
        #[param(value_type = Option<String>, example = "2024-01-01")]
        pub from: Option<Day>,
        /// The last day, UTC; today when left out.
        #[param(value_type = Option<String>, example = "2024-01-31")]
        pub to: Option<Day>,
    }
}

narrow!(StatsQuery);

/// What was counted.
#[derive(Serialize, ToSchema, Default)]
pub struct Counts {
    /// How often posters were scanned.
    pub scans: i64,
    /// How many people signed up.
    pub signups: i64,
    /// Signups that are pending now.
    pub pending: i64,
    /// Signups that are converted now.
    pub converted: i64,
    /// Signups that are verified now.
    pub verified: i64,
    /// Signups that are rejected now.
    pub rejected: i64,
}

impl Counts {
    pub(super) fn add(&mut self, row: &CountsOfDay) {
        self.scans += row.scans;
        self.pending += row.pending;
        self.converted += row.converted;
        self.verified += row.verified;
        self.rejected += row.rejected;
        self.signups += row.pending + row.converted + row.verified + row.rejected;
    }
}

/// One day's counts. Signups count on the day of the signup, whenever they moved.
#[derive(Serialize, ToSchema)]
pub struct DayCounts {
    /// The day, UTC.
    pub day: Day,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
}

/// From scan to verified signup.
#[derive(Serialize, ToSchema)]
pub struct Stats {
    /// The first day, UTC.
    pub from: Day,
    /// The last day, UTC.
    pub to: Day,
    /// All of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// Each day on which something happened, oldest first.
    pub days: Vec<DayCounts>,
}

/// Scans, signups and what became of them
///
/// Counted in the transaction of what is counted: right at every moment, and cheap to read.
#[utoipa::path(get, path = "/api/v1/stats", tag = "Stats", operation_id = "getStats",
    params(StatsQuery),
    responses((status = 200, description = "The counts", body = Stats), ListRefusals))]
async fn show(
    app: web::Data<App>,
    account: Caller,
    Query(query): Query<StatsQuery>,
) -> Result<web::Json<Stats>, Error> {
    let today = app.clock.now();
    let to = query.to.unwrap_or(Day::of(today));
    let from = query
        .from
        .unwrap_or(Day::of(to.start().plus_seconds(-30 * 86_400)));
    Error::unless_in_order(Some(from), Some(to))?;
    let filter = StatsFilter {
        program_id: query.program_id,
        poster_id: query.poster_id,
        ambassador_id: query.student_id,
        from: from.number(),
        to: to.number(),
    };
    let rows = app
        .db
        .read_at_length(move |conn| Ok(queries::by_day(conn, &account.id, &filter)?))
        .await?;
    Ok(web::Json(summed(from, to, &rows)))
}

fn summed(from: Day, to: Day, rows: &[CountsOfDay]) -> Stats {
    let mut counts = Counts::default();
    let mut days = Vec::new();
    for row in rows {
        counts.add(row);
        let mut its = Counts::default();
        its.add(row);
        days.push(DayCounts {
            day: Day::numbered(row.day),
            counts: its,
        });
    }
    Stats {
        from,
        to,
        counts,
        days,
    }
}
