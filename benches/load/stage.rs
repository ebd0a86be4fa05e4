//! A handbill server on a fresh database, with what the paths need in it.

use std::fs;
use std::process::{Child, Command, Stdio};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use handbill::db::{DbConnection, migrations};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hello::{free_port, wait_for};
use crate::postgres;
use crate::wrk::Turn;

pub(crate) struct Stage {
    pub(crate) url: String,
    database: String,
    server: Child,
    key: String,
    codes: Vec<String>,
    impression: String,
    referral: String,
    program: String,
    _folder: TempDir,
}

/// A hot path: what it is called, how it is driven, which table it fills.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    script: String,
    pub(crate) fills: Option<&'static str>,
}

impl Path {
    /// The script of one round; idempotency keys of different rounds differ.
    pub(crate) fn script(&self, round: usize) -> String {
        self.script.replace("ROUND", &round.to_string())
    }
}

impl Stage {
    pub(crate) fn set(database: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match database {
            "SQLite" => format!("sqlite://{}", folder.path().join("load.db").display()),
            _ => postgres::url("postgres"),
        };
        migrations::run(&url).expect("migrations");
        let port = free_port();
        let handbill = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_handbill"));
            command
                .args(arguments)
                .env("DATABASE_URL", &url)
                .env("HANDBILL_BIND", format!("127.0.0.1:{port}"))
                .env("HANDBILL_RATE_LIMIT", "off")
                .env("RUST_LOG", "warn");
            command
        };
        let made = handbill(&["keys", "create", "--name", "load", "--json"])
            .output()
            .expect("a key");
        let made: Value = serde_json::from_slice(&made.stdout).expect("a key");
        let server = handbill(&["serve"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the server");
        wait_for(port);
        let mut stage = Self {
            url: format!("http://127.0.0.1:{port}"),
            database: url,
            server,
            key: made["key"].as_str().expect("a key").to_owned(),
            codes: Vec::new(),
            impression: String::new(),
            referral: String::new(),
            program: String::new(),
            _folder: folder,
        };
        stage.fill();
        stage
    }

    /// One program, a thousand posters, one scan, two hundred referrals.
    fn fill(&mut self) {
        let program = self.post(
            "programs",
            &json!({ "name": "load", "landing_url": "https://example.com/join" }),
        );
        let person = json!({
            "program_id": program["id"], "first_name": "Carol", "last_name": "Example", "email": "carol@example.com",
        });
        let student = self.post("users", &person);
        for _ in 0..1000 {
            let poster = self.post("posters", &json!({ "student_id": student["id"] }));
            self.codes.push(text(&poster["code"]));
            if self.impression.is_empty() {
                self.impression =
                    text(&self.post("impressions", &json!({ "poster_id": poster["id"] }))["id"]);
            }
        }
        for _ in 0..200 {
            let signup = json!({
                "impression_id": self.impression, "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
            });
            self.referral = text(&self.post("referrals", &signup)["id"]);
        }
        self.program = text(&program["id"]);
    }

    fn post(&self, list: &str, body: &Value) -> Value {
        let output = Command::new("curl")
            .args([
                "--silent",
                "--noproxy",
                "*",
                "-H",
                "Content-Type: application/json",
                "-d",
                &body.to_string(),
            ])
            .args(["-H", &format!("Authorization: Bearer {}", self.key)])
            .arg(format!("{}/api/v1/{list}", self.url))
            .output()
            .expect("curl");
        serde_json::from_slice(&output.stdout).expect("an object")
    }

    pub(crate) fn paths(&self) -> Vec<Path> {
        let key = format!(
            "{{['Authorization']='Bearer {}', ['Content-Type']='application/json'}}",
            self.key
        );
        let codes: Vec<String> = self.codes.iter().map(|code| format!("'{code}'")).collect();
        let get = |name, path: String| Path {
            name,
            script: format!(
                "local h = {key}\nrequest = function() return wrk.format('GET', '{path}', h) end"
            ),
            fills: None,
        };
        let body = format!(
            "{{\"impression_id\":\"{}\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"email\":\"john.doe@example.com\",\"idempotency_key\":\"ROUND_%d_%d\"}}",
            self.impression
        );
        vec![
            Path {
                name: "scan, a crowd at one poster",
                script: format!(
                    "request = function() return wrk.format('GET', '/q/{}') end",
                    self.codes[0]
                ),
                fills: Some("impressions"),
            },
            Path {
                name: "scan, spread over 1,000 posters",
                script: format!(
                    "local c = {{{}}}\nlocal n = 0\nrequest = function() n = n + 7919; return wrk.format('GET', '/q/' .. c[n % 1000 + 1]) end",
                    codes.join(",")
                ),
                fills: Some("impressions"),
            },
            Path {
                name: "create a referral",
                script: format!(
                    "local h = {key}\nlocal t = 0\nsetup = function(thread) thread:set('id', t); t = t + 1 end\nlocal n = 0\n\
                     request = function() n = n + 1; return wrk.format('POST', '/api/v1/referrals', h, string.format('{body}', id, n)) end"
                ),
                fills: Some("referrals"),
            },
            get(
                "get a referral",
                format!("/api/v1/referrals/{}", self.referral),
            ),
            get(
                "list 50 referrals of a program",
                format!("/api/v1/referrals?programId={}&limit=50", self.program),
            ),
        ]
    }

    /// What was answered must be stored. Requests that were under way when a turn ended may be stored too.
    pub(crate) fn check_stored(&self, path: &Path, turns: &[(Turn, Turn)]) {
        let failures: u64 = turns.iter().map(|(_, ours)| ours.failures).sum();
        assert_eq!(failures, 0, "{}: every request is answered well", path.name);
        let Some(table) = path.fills else { return };
        let answered: u64 = turns.iter().map(|(_, ours)| ours.requests).sum();
        let stored = self.count(table);
        assert!(
            stored >= answered,
            "{}: {answered} answered, {stored} stored",
            path.name
        );
    }

    fn count(&self, table: &str) -> u64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let mut conn = DbConnection::open(&self.database).expect("the database");
        let query = format!("SELECT count(*) AS count FROM {table}");
        let count: Count = sql_query(query).get_result(&mut conn).expect("a count");
        count.count.unsigned_abs()
    }

    /// The server's resident memory.
    pub(crate) fn resident_megabytes(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or_default();
        line.trim()
            .trim_end_matches(" kB")
            .parse::<u64>()
            .unwrap_or_default()
            / 1024
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
