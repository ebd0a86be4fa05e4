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

const HEAD: &str = "| database | path | of hello | lowest – highest | one thread of `wrk`: of hello | lowest – highest | requests/s | at half of that: p50 ms | p99 ms | lowest – highest | hello's p50 / p99 | MB |\n\
    |---|---|---|---|---|---|---|---|---|---|---|---|\n";
const STARTS: &str = "\n| database | rows in it | ready after, ms | lowest – highest | MB |\n|---|---|---|---|---|\n";

/// What a path showed.
pub(crate) struct Row {
    path: &'static str,
    ratios: (f64, f64, f64),
    of_one_thread: (f64, f64, f64),
    per_second: f64,
    p50_ms: f64,
    p99_ms: (f64, f64, f64),
    bare_ms: (f64, f64),
    megabytes: u64,
}

impl Row {
    pub(crate) fn new(
        path: &'static str,
        turns: &[(Turn, Turn)],
        of_one_thread: &[(Turn, Turn)],
        waits: &[(Latency, Latency)],
        megabytes: u64,
    ) -> Self {
        let median = |numbers: (f64, f64, f64)| numbers.1;
        let (bare, ours) = (
            waits.iter().map(|(bare, _)| bare),
            waits.iter().map(|(_, ours)| ours),
        );
        let ratio = |(bare, ours): &(Turn, Turn)| ours.per_second / bare.per_second;
        let (_, per_second, _) = spread(turns.iter().map(|(_, ours)| ours.per_second));
        Self {
            path,
            ratios: spread(turns.iter().map(ratio)),
            of_one_thread: spread(of_one_thread.iter().map(ratio)),
            per_second,
            p50_ms: median(spread(ours.clone().map(|ours| ours.p50_ms))),
            p99_ms: spread(ours.map(|ours| ours.p99_ms)),
            bare_ms: (
                median(spread(bare.clone().map(|bare| bare.p50_ms))),
                median(spread(bare.map(|bare| bare.p99_ms))),
            ),
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
        let (least, one, most) = row.of_one_thread;
        let (quickest, p99, slowest) = row.p99_ms;
        let line = format!(
            "| {database} | {} | **{median:.3}** | {lowest:.3} – {highest:.3} | **{one:.3}** | {least:.3} – {most:.3} | {:.0} | {:.2} | **{p99:.2}** | {quickest:.2} – {slowest:.2} | {:.2} / {:.2} | {} |",
            row.path, row.per_second, row.p50_ms, row.bare_ms.0, row.bare_ms.1, row.megabytes
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
