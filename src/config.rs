//! Every setting, its default, and its complaint: one struct, read once from the environment.

mod limits;
mod vars;
mod webhooks;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::metadata::MetadataUpdate;
use vars::{Vars, database_url, networks, or_off, origins, parsed, public_url, within};

pub use limits::Limits;
pub use webhooks::WebhookConfig;

/// The settings; `docs/configuration.md` explains each.
#[derive(Debug, Clone)]
pub struct Config {
    /// `sqlite://PATH` or `postgres://…`.
    pub database_url: String,
    /// Connections that read (and, on PostgreSQL, write) at the same time.
    pub database_connections: u32,
    /// The address to listen on; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// Where `/metrics` is, if not beside the API.
    pub metrics_bind: Option<SocketAddr>,
    /// What `qr_code_url`, `scan_url` and `Link` begin with, without a slash at the end. `None`: the bind address.
    pub public_url: Option<String>,
    /// HTTP worker threads; `None`: one per core.
    pub workers: Option<usize>,
    /// Peers whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests per minute and key; `None`: no limit.
    pub rate_limit: Option<NonZeroU32>,
    /// Requests per minute and address without a key, or with a wrong one; `None`: no limit.
    pub wrong_key_limit: Option<NonZeroU32>,
    /// Whose web pages may read what is public.
    pub browser_origins: Origins,
    /// What larger `limit`s are clamped to.
    pub max_page_size: i64,
    /// What an update does with metadata.
    pub metadata_update: MetadataUpdate,
    /// How much of a phone's address a scan keeps.
    pub scan_address: Keep,
    /// Whether a scan keeps the phone's user agent.
    pub scan_user_agent: Keep,
    /// Whether every scan is an event.
    pub impression_events: bool,
    /// Days after which a scan forgets address and user agent; `None`: never.
    pub scan_retention_days: Option<u32>,
    /// Where scans are kept while the database takes none; `None`: beside the SQLite file, or `handbill.scans`.
    pub scan_journal: Option<PathBuf>,
    /// How large that file may grow, in bytes.
    pub scan_journal_bytes: u64,
    /// How much at a time, and how long.
    pub limits: Limits,
    /// Where webhooks may go, and what is kept of them.
    pub webhooks: WebhookConfig,
    /// One line of text or one JSON object per log record.
    pub log_format: LogFormat,
}

/// How much of something personal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// As it came.
    Full,
    /// An IPv4 address without its last byte, an IPv6 address without its last ten.
    Truncated,
    /// Nothing.
    Nothing,
}

/// The origins of web pages: scheme, host and port, as a browser says them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every page.
    Any,
    /// Pages of these.
    These(Vec<String>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// How log records look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

const LISTEN_KEY: &str = "HANDBILL_KEY";
const ADDRESS: &str = "an address and port such as 127.0.0.1:3000";
const PUBLIC_URL: &str = "an http:// or https:// URL without query or fragment";
const NETWORKS: &str = "addresses or networks separated by commas, such as 10.0.0.0/8";
const ORIGINS: &str = "origins separated by commas, such as https://www.example.com, or *";
const RETENTION: &str = "a number of days from 1 to 36500, or off";
const METADATA_UPDATES: [(&str, MetadataUpdate); 2] = [
    ("merge", MetadataUpdate::Merge),
    ("replace", MetadataUpdate::Replace),
];
const ADDRESSES: [(&str, Keep); 3] = [
    ("full", Keep::Full),
    ("truncated", Keep::Truncated),
    ("off", Keep::Nothing),
];
const USER_AGENTS: [(&str, Keep); 2] = [("full", Keep::Full), ("off", Keep::Nothing)];
const LOG_FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

impl Config {
    /// Reads the process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn from_env() -> Result<Self, String> {
        Self::from_vars(std::env::vars_os().filter_map(|(name, value)| {
            // Other programs' variables may be anything; ours must be text.
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        }))
    }

    /// Reads settings from pairs. Anything that begins with `HANDBILL_` and is not a setting is refused:
    /// a misspelt setting must not be a silent default.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut vars = Vars(
            vars.into_iter()
                .filter(|(name, _)| name == "DATABASE_URL" || name.starts_with("HANDBILL_"))
                // No setting of a server's: see `listen_key`.
                .filter(|(name, _)| name != LISTEN_KEY)
                .collect(),
        );
        let config = Self {
            database_url: vars
                .take(
                    "DATABASE_URL",
                    "sqlite://PATH or postgres://…",
                    database_url,
                )?
                .unwrap_or_else(|| "sqlite://handbill.db".to_owned()),
            database_connections: vars
                .take(
                    "HANDBILL_DATABASE_CONNECTIONS",
                    "a number from 1 to 200",
                    within(1..=200),
                )?
                .unwrap_or(16),
            bind: vars
                .take("HANDBILL_BIND", ADDRESS, parsed)?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000))),
            metrics_bind: vars.take("HANDBILL_METRICS_BIND", ADDRESS, parsed)?,
            public_url: vars.take("HANDBILL_PUBLIC_URL", PUBLIC_URL, public_url)?,
            workers: vars.take(
                "HANDBILL_WORKERS",
                "a number from 1 to 512",
                within(1..=512),
            )?,
            trusted_proxies: vars
                .take("HANDBILL_TRUSTED_PROXIES", NETWORKS, networks)?
                .unwrap_or_default(),
            rate_limit: vars.limit("HANDBILL_RATE_LIMIT", 30_000)?,
            wrong_key_limit: vars.limit("HANDBILL_WRONG_KEY_LIMIT", 60)?,
            browser_origins: vars
                .take("HANDBILL_BROWSER_ORIGINS", ORIGINS, origins)?
                .unwrap_or_default(),
            max_page_size: vars
                .take(
                    "HANDBILL_MAX_PAGE_SIZE",
                    "a number from 1 to 1000",
                    within(1..=1000),
                )?
                .unwrap_or(1000),
            metadata_update: vars
                .one_of("HANDBILL_METADATA_UPDATE", &METADATA_UPDATES)?
                .unwrap_or_default(),
            scan_address: vars
                .one_of("HANDBILL_SCAN_ADDRESS", &ADDRESSES)?
                .unwrap_or(Keep::Full),
            scan_user_agent: vars
                .one_of("HANDBILL_SCAN_USER_AGENT", &USER_AGENTS)?
                .unwrap_or(Keep::Full),
            impression_events: vars.switch("HANDBILL_IMPRESSION_EVENTS")?,
            scan_retention_days: vars
                .take(
                    "HANDBILL_SCAN_RETENTION_DAYS",
                    RETENTION,
                    or_off(within(1..=36_500)),
                )?
                .unwrap_or(None),
            scan_journal: vars.take("HANDBILL_SCAN_JOURNAL", "the path of a file", parsed)?,
            scan_journal_bytes: vars
                .take(
                    "HANDBILL_SCAN_JOURNAL_MEGABYTES",
                    "a number from 1 to 100000",
                    within(1..=100_000),
                )?
                .unwrap_or(64)
                * 1_000_000,
            limits: Limits::take(&mut vars)?,
            webhooks: WebhookConfig::take(&mut vars)?,
            log_format: vars
                .one_of("HANDBILL_LOG_FORMAT", &LOG_FORMATS)?
                .unwrap_or(LogFormat::Text),
        };
        vars.refuse_the_rest()?;
        Ok(config)
    }

    /// The scan journal's file.
    pub fn scan_journal(&self) -> PathBuf {
        self.scan_journal.clone().unwrap_or_else(|| {
            match self.database_url.strip_prefix("sqlite://") {
                Some(path) => format!("{path}.scans").into(),
                None => "handbill.scans".into(),
            }
        })
    }

    /// A file on the disk that this process writes to: the database, or else the journal.
    pub fn disk(&self) -> PathBuf {
        match self.database_url.strip_prefix("sqlite://") {
            Some(path) => path.into(),
            None => self.scan_journal(),
        }
    }

    /// The public URL, given the address that was really bound.
    pub fn public_url_for(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| {
            // Nobody can follow a link to 0.0.0.0, and the documents say localhost.
            if bound.ip().is_unspecified() || bound.ip().is_loopback() {
                format!("http://localhost:{}", bound.port())
            } else {
                format!("http://{bound}")
            }
        })
    }
}

/// Which log records are written, if `RUST_LOG` says it.
pub fn log_filter() -> Option<String> {
    of_environment("RUST_LOG")
}

/// The API key that `handbill listen` asks a server with, where whoever sees the list of processes does not see it.
pub fn listen_key() -> Option<String> {
    of_environment(LISTEN_KEY)
}

/// What the environment says. Empty is unset.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
fn of_environment(name: &str) -> Option<String> {
    let text = std::env::var(name).ok()?;
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// Whether `text` is the URL of a database that handbill can use.
pub fn is_database_url(text: &str) -> bool {
    database_url(text).is_some()
}
