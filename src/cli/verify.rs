//! `handbill verify`.

use serde_json::json;

use super::{print_json, say, sentence};
use crate::audit;
use crate::audit::report::Report;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, migrations};

/// Adds everything up again, on one state of the database and whoever else writes meanwhile, and says what was checked.
///
/// # Errors
/// A sentence, if anything differs or the database cannot be read.
pub(super) fn verify(config: &Config, json: bool) -> Result<(), String> {
    migrations::check(&config.database_url)?;
    let db = Db::open(&config.database_url, 1, Clock::System).map_err(|error| sentence(&error))?;
    let report = actix_web::rt::System::new()
        .block_on(db.read_consistently(audit::verify::verify))
        .map_err(|error| sentence(&error))?;
    let count = report.count();
    match json {
        true => print_json(&json!({
            "count": count, "checks": report.checks, "differences": report.differences,
        }))?,
        false => tell(&report),
    }
    match count {
        0 => Ok(()),
        1 => Err("there is a difference".to_owned()),
        _ => Err(format!("there are {count} differences")),
    }
}

fn tell(report: &Report) {
    for check in &report.checks {
        let outcome = match check.differences {
            0 => "ok".to_owned(),
            differences => format!("WRONG {differences}"),
        };
        say(&format!(
            "{outcome:<8} {} ({} checked)",
            check.check, check.checked
        ));
    }
    for difference in &report.differences {
        let account = difference.account_id.as_ref();
        say(&format!(
            "{} {}: {}",
            account.map_or("-".to_owned(), ToString::to_string),
            difference.about,
            difference.problem
        ));
    }
    let told = i64::try_from(report.differences.len()).unwrap_or(i64::MAX);
    if report.count() > told {
        say(&format!("… and {} more", report.count() - told));
    }
    if report.count() == 0 {
        say("Everything adds up.");
    }
}
