//! The tables of a run.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use handbill::db::DbConnection;

use crate::Sizes;
use crate::open::Latency;
use crate::support::stage::Stage;
use crate::support::wrk::Turn;
use crate::support::{page, spread};

const HEAD: &str = "| database | path | of hello | lowest – highest | requests/s | p50 / p99 ms at half of that | hello's there | MB |\n\
    |---|---|---|---|---|---|---|---|\n";
const STARTS: &str = "\n| database | rows in it | ready after, ms | lowest – highest | MB |\n|---|---|---|---|---|\n";

/// What a path showed.
pub(crate) struct Row {
    path: &'static str,
    ratios: (f64, f64, f64),
    per_second: f64,
    ours: Latency,
    bare: Latency,
    megabytes: u64,
}

impl Row {
    pub(crate) fn new(
        path: &'static str,
        turns: &[(Turn, Turn)],
        ours: Latency,
        bare: Latency,
        megabytes: u64,
    ) -> Self {
        let ratio = |(bare, ours): &(Turn, Turn)| ours.per_second / bare.per_second;
        let (_, per_second, _) = spread(turns.iter().map(|(_, ours)| ours.per_second));
        Self {
            path,
            ratios: spread(turns.iter().map(ratio)),
            per_second,
            ours,
            bare,
            megabytes,
        }
    }
}

pub(crate) struct Report {
    head: String,
    rows: String,
    starts: String,
}

impl Report {
    pub(crate) fn new(sizes: &Sizes) -> Self {
        let head = format!(
            "{}; {} rounds of {} s, 64 connections.\n",
            page::machine(),
            sizes.rounds,
            sizes.seconds
        );
        Self {
            head,
            rows: HEAD.to_owned(),
            starts: STARTS.to_owned(),
        }
    }

    /// Asks PostgreSQL itself what it does for durability, on a connection like the server's.
    pub(crate) fn durability(&mut self, url: &str) {
        #[derive(QueryableByName)]
        struct Setting {
            #[diesel(sql_type = Text)]
            said: String,
        }
        let mut conn = DbConnection::open(url).expect("the cluster");
        let settings: Vec<Setting> = sql_query(
            "SELECT name || ' ' || setting AS said FROM pg_settings WHERE name IN \
             ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers') \
             ORDER BY name <> 'server_version', name",
        )
        .load(&mut conn)
        .expect("the settings");
        let said: Vec<String> = settings.into_iter().map(|setting| setting.said).collect();
        for durable in ["fsync on", "synchronous_commit on", "full_page_writes on"] {
            assert!(
                said.iter().any(|said| said == durable),
                "{durable}: {said:?}"
            );
        }
        let _ = writeln!(self.head, "PostgreSQL says: {}.", said.join(", "));
    }

    pub(crate) fn row(&mut self, database: &str, row: &Row) {
        let (lowest, median, highest) = row.ratios;
        let line = format!(
            "| {database} | {} | **{median:.3}** | {lowest:.3} – {highest:.3} | {:.0} | {:.2} / {:.2} | {:.2} / {:.2} | {} |",
            row.path,
            row.per_second,
            row.ours.p50_ms,
            row.ours.p99_ms,
            row.bare.p50_ms,
            row.bare.p99_ms,
            row.megabytes
        );
        page::say(&line);
        let _ = writeln!(self.rows, "{line}");
    }

    pub(crate) fn start(
        &mut self,
        database: &str,
        (lowest, median, highest): (f64, f64, f64),
        megabytes: u64,
        stage: &Stage,
    ) {
        let rows = stage.count("impressions") + stage.count("referrals");
        let line = format!(
            "| {database} | {rows} | **{median:.0}** | {lowest:.0} – {highest:.0} | {megabytes} |"
        );
        page::say(&line);
        let _ = writeln!(self.starts, "{line}");
    }

    pub(crate) fn text(&self) -> String {
        format!("{}\n{}{}", self.head, self.rows, self.starts)
    }
}
