//! A database of its own for every test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use handbill::accounts;
use handbill::db::{DbConnection, migrations};
use handbill::ids::AccountId;
use tempfile::TempDir;

use super::postgres::Cluster;

/// An empty, migrated database. It is gone when this is dropped (SQLite) or with the cluster (PostgreSQL).
pub struct Database {
    pub url: String,
    folder: TempDir,
}

impl Database {
    /// A copy of one migrated file.
    pub fn sqlite() -> Self {
        let empty = Self::empty_sqlite();
        let path = empty.url.trim_start_matches("sqlite://").to_owned();
        std::fs::copy(template(), path).expect("a copy of the template");
        empty
    }

    /// A schema of its own in the tests' cluster.
    pub fn postgres() -> Self {
        let empty = Self::empty_postgres();
        migrations::run(&empty.url).expect("migrations");
        empty
    }

    /// A file that does not exist yet.
    pub fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self { url, folder }
    }

    /// A schema with nothing in it.
    pub fn empty_postgres() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let cluster = cluster().url("postgres");
        let mut conn = DbConnection::open(&cluster).expect("the cluster");
        conn.batch_execute(&format!("CREATE SCHEMA {schema}"))
            .expect("a schema");
        Self {
            url: format!("{cluster}&options=-csearch_path%3D{schema}"),
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A database of the cluster's of its own, which can be taken away without taking it from other tests.
    pub fn postgres_of_its_own(name: &str) -> Self {
        let mut conn = DbConnection::open(&cluster().url("postgres")).expect("the cluster");
        conn.batch_execute(&format!("CREATE DATABASE {name}"))
            .expect("a database");
        Self::migrated(cluster().url(name))
    }

    /// What is at this URL, brought up to date.
    pub fn migrated(url: String) -> Self {
        migrations::run(&url).expect("migrations");
        Self {
            url,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The id of the account with this name.
    pub fn account_named(&self, name: &str) -> AccountId {
        let account = accounts::queries::find_by_name_or_id(&mut self.connect(), name);
        account.expect("an answer").expect("an account").id
    }

    /// What it has on this machine's disk, beside a cluster: its file, the journal.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the server keeps scans while it has no database.
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("scans")
    }

    /// The same database for another server. It goes with the first one's.
    pub fn shared(&self) -> Self {
        Self {
            url: self.url.clone(),
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A connection beside the server's own.
    pub fn connect(&self) -> DbConnection {
        DbConnection::open(&self.url).expect("the database")
    }

    pub fn is_sqlite(&self) -> bool {
        DbConnection::is_sqlite(&self.url)
    }
}

/// The tests' cluster, started at the first test that needs it. Nothing in it has to outlive the machine, so
/// nothing waits for the disk.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        Cluster::start(&["fsync=off", "max_connections=400", "shared_buffers=64MB"])
    })
}

/// A migrated SQLite file, made once.
fn template() -> PathBuf {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("a temporary folder").keep();
            let path = folder.join("template.db");
            let url = format!("sqlite://{}", path.display());
            migrations::run(&url).expect("migrations");
            // Everything out of the write-ahead log and into the one file that is copied.
            DbConnection::open(&url)
                .expect("the template")
                .batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
                .expect("a checkpoint");
            path
        })
        .clone()
}
