//! How busy the database's doors are, and what is behind them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use prometheus_client::metrics::histogram::Histogram;

use super::DbConnection;

/// Writes per commit. As many as may wait at once for one kind of write is the last.
const GROUP_SIZES: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 4000.0,
];

/// How busy the doors are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Jobs that wait for the writer.
    pub queue: u64,
    /// How many may.
    pub queue_limit: u64,
    /// Commits of the writer since the start.
    pub commits: u64,
    /// Jobs in those.
    pub jobs: u64,
    /// Connections that are used now.
    pub in_use: u64,
    /// How many there may be.
    pub connections: u64,
    /// Requests that wait for one.
    pub waiting: u64,
}

/// What is behind the doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The database and its version.
    pub name: String,
    /// Whether its migrations are the ones in this binary.
    pub is_migrated: bool,
}

/// What the writer has done.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Done>);

#[derive(Debug)]
struct Done {
    commits: AtomicU64,
    jobs: AtomicU64,
    group_sizes: Histogram,
}

impl Default for Done {
    fn default() -> Self {
        Self {
            commits: AtomicU64::default(),
            jobs: AtomicU64::default(),
            group_sizes: Histogram::new(GROUP_SIZES),
        }
    }
}

impl Tally {
    /// A commit with so many jobs, which were so many writes.
    pub(super) fn add(&self, jobs: usize, writes: usize) {
        self.0.commits.fetch_add(1, Ordering::Relaxed);
        self.0.jobs.fetch_add(jobs as u64, Ordering::Relaxed);
        if let Ok(writes @ 1..) = u32::try_from(writes) {
            self.0.group_sizes.observe(f64::from(writes));
        }
    }

    /// How many writes shared a commit.
    pub(super) fn group_sizes(&self) -> Histogram {
        self.0.group_sizes.clone()
    }

    /// Commits, and jobs in them.
    pub(super) fn read(&self) -> (u64, u64) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (read(&self.0.commits), read(&self.0.jobs))
    }
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The database and its version.
pub(super) fn name(conn: &mut DbConnection) -> QueryResult<String> {
    let (name, query) = match conn {
        DbConnection::Sqlite(_) => ("SQLite", "SELECT sqlite_version() AS version"),
        DbConnection::Postgres(_) => (
            "PostgreSQL",
            "SELECT current_setting('server_version') AS version",
        ),
    };
    let version: Version = sql_query(query).get_result(conn)?;
    let number = version
        .version
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned();
    Ok(format!("{name} {number}"))
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Whether a server takes reads only: it follows another one, or was told to. (A file that cannot be written to takes no
/// transaction of a write.)
pub(super) fn is_read_only(conn: &mut DbConnection) -> QueryResult<bool> {
    let query = "SELECT current_setting('transaction_read_only') AS name";
    match conn {
        DbConnection::Sqlite(_) => Ok(false),
        DbConnection::Postgres(_) => {
            let setting: Setting = sql_query(query).get_result(conn)?;
            Ok(setting.name == "on")
        }
    }
}

/// The server's settings that are off, and without which a power cut takes what was answered. (A file has ours.)
pub(super) fn dangers(conn: &mut DbConnection) -> QueryResult<Vec<String>> {
    let query = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name";
    let off: Vec<Setting> = match conn {
        DbConnection::Sqlite(_) => Vec::new(),
        DbConnection::Postgres(_) => sql_query(query).load(conn)?,
    };
    Ok(off.into_iter().map(|setting| setting.name).collect())
}
