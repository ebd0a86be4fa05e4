//! `handbill erasures`: who was erased, as ids; and the list as other commands take it.

use std::fs::File;
use std::io::{BufRead, BufReader};

use clap::Args;

use super::{print_json, sentence};
use crate::config::{Config, is_database_url};
use crate::db::{DbConnection, migrations};
use crate::erasures::again::{Erased, list};

#[derive(Args)]
pub(super) struct Since {
    /// Who was erased since it was made: what `handbill erasures` has printed, or the URL of the database that knows
    #[arg(long, value_name = "FILE|URL")]
    erasures: Option<String>,
}

impl Since {
    /// The list. `None`: nothing was said about it.
    pub(super) fn list(&self) -> Result<Option<Vec<Erased>>, String> {
        match &self.erasures {
            None => Ok(None),
            Some(url) if is_database_url(url) => of_database(url).map(Some),
            Some(file) => of_file(file).map(Some),
        }
    }
}

/// Prints a line of JSON for everybody who was erased from the database.
pub(super) fn show(config: &Config) -> Result<(), String> {
    migrations::check(&config.database_url)?;
    let erased = of_database(&config.database_url)?;
    erased.iter().try_for_each(print_json)
}

fn of_database(url: &str) -> Result<Vec<Erased>, String> {
    migrations::expect(url)?;
    let mut conn = DbConnection::open_to_read(url).map_err(|error| sentence(&error))?;
    list(&mut conn).map_err(|error| sentence(&error))
}

fn of_file(path: &str) -> Result<Vec<Erased>, String> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let mut list = Vec::new();
    for (at, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| format!("{path}: {error}"))?;
        let erased = Erased::read(&line);
        list.push(erased.ok_or_else(|| {
            format!(
                "{path}, line {}: this is nobody who was erased, as `handbill erasures` writes it",
                at + 1
            )
        })?);
    }
    Ok(list)
}
