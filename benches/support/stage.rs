//! A handbill server on a database, with what the paths need in it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use handbill::db::{DbConnection, migrations};
use handbill::ids::{AccountId, Id as _};
use serde_json::{Value, json};

use super::http::{Connection, free_port, request};
use super::spread;

pub(crate) struct Stage {
    pub(crate) database: String,
    pub(crate) port: u16,
    server: Option<Child>,
    pub(crate) key: String,
    pub(crate) account: AccountId,
    pub(crate) program: String,
    pub(crate) ambassador: String,
    pub(crate) posters: Vec<Poster>,
    /// A scan of each poster.
    pub(crate) impressions: Vec<String>,
    pub(crate) referrals: Vec<String>,
}

pub(crate) struct Poster {
    pub(crate) id: String,
    pub(crate) code: String,
}

impl Stage {
    /// A server on the empty database at `database`; one program, one ambassador, a thousand posters.
    pub(crate) fn set(database: &str) -> Self {
        migrations::run(database).expect("migrations");
        let made = handbill(database)
            .args(["keys", "create", "--name", "bench", "--json"])
            .output()
            .expect("a key");
        let made: Value = serde_json::from_slice(&made.stdout).expect("a key");
        let mut stage = Self {
            database: database.to_owned(),
            port: free_port(),
            server: None,
            key: text(&made["key"]),
            account: AccountId::from_outside(&text(&made["account_id"])).expect("an id"),
            program: String::new(),
            ambassador: String::new(),
            posters: Vec::new(),
            impressions: Vec::new(),
            referrals: Vec::new(),
        };
        stage.start();
        let program = json!({ "name": "bench", "landing_url": "https://example.com/join" });
        stage.program = stage.make("programs", &[program]).remove(0).id();
        let person = json!({
            "program_id": stage.program, "first_name": "Carol", "last_name": "Example", "email": "carol@example.com",
        });
        stage.ambassador = stage.make("users", &[person]).remove(0).id();
        let poster = json!({ "student_id": stage.ambassador });
        let posters = stage.make("posters", &vec![poster; 1000]);
        stage.posters = posters
            .iter()
            .map(|made| Poster {
                id: made.id(),
                code: text(&made.0["code"]),
            })
            .collect();
        stage
    }

    /// A scan of each poster, and a thousand referrals.
    pub(crate) fn fill(&mut self) {
        let scans = self.posters.iter();
        let scans = scans.map(|poster| json!({ "poster_id": poster.id }));
        let made = self.make("impressions", &scans.collect::<Vec<_>>());
        self.impressions = made.iter().map(Made::id).collect();
        let signup = json!({
            "impression_id": self.impressions[0], "first_name": "John", "last_name": "Doe", "email": "john.doe@example.com",
        });
        let made = self.make("referrals", &vec![signup; 1000]);
        self.referrals = made.iter().map(Made::id).collect();
    }

    pub(crate) fn make(&self, list: &str, bodies: &[Value]) -> Vec<Made> {
        let mut connection = Connection::open(self.port).expect("a connection");
        let mut make = |body: &Value| {
            let target = format!("/api/v1/{list}");
            let request = request(self.port, &self.key, &target, Some(&body.to_string()));
            let answer = connection.exchange(request.as_bytes()).expect("an answer");
            assert_eq!(answer.status, 200, "{list}");
            Made(serde_json::from_slice(&answer.body).expect("an object"))
        };
        bodies.iter().map(&mut make).collect()
    }

    /// Deletes something.
    pub(crate) fn remove(&self, path: &str) {
        let request = request(self.port, &self.key, &format!("/api/v1/{path}"), None);
        let request = request.replacen("GET", "DELETE", 1);
        let mut connection = Connection::open(self.port).expect("a connection");
        let answer = connection.exchange(request.as_bytes()).expect("an answer");
        assert_eq!(answer.status, 204, "{path}");
    }

    /// Starts the server and says how long it took until it was ready.
    pub(crate) fn start(&mut self) -> Duration {
        let begun = Instant::now();
        let server = handbill(&self.database)
            .arg("serve")
            .env("HANDBILL_BIND", format!("127.0.0.1:{}", self.port))
            .stdout(Stdio::null())
            .spawn()
            .expect("the server");
        self.server = Some(server);
        let request = request(self.port, "", "/readyz", None);
        let ready = || {
            let answer = Connection::open(self.port)?.exchange(request.as_bytes())?;
            std::io::Result::Ok(answer.status == 200)
        };
        while !ready().unwrap_or_default() {
            assert!(begun.elapsed().as_secs() < 60, "the server does not start");
            thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    }

    /// Stops the server as a service manager does.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        let asked = Command::new("kill").arg(server.id().to_string()).status();
        if !asked.is_ok_and(|asked| asked.success()) {
            let _ = server.kill();
        }
        let _ = server.wait();
    }

    /// Milliseconds from the start of the process until it is ready, on the database as it is now: lowest, median and
    /// highest of five, and the resident memory of the last in megabytes.
    pub(crate) fn cold_start(&mut self) -> ((f64, f64, f64), u64) {
        let times = [(); 5].map(|()| {
            self.stop();
            super::milliseconds(self.start())
        });
        (spread(times), self.resident_megabytes())
    }

    /// The first word that a query finds.
    pub(crate) fn word(&self, query: &str) -> String {
        #[derive(QueryableByName)]
        struct Word {
            #[diesel(sql_type = diesel::sql_types::Text)]
            word: String,
        }
        let mut conn = DbConnection::open(&self.database).expect("the database");
        let found: Word = sql_query(query).get_result(&mut conn).expect("a word");
        found.word
    }

    pub(crate) fn count(&self, table: &str) -> u64 {
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

    /// The server's resident memory; PostgreSQL's own is not in it.
    pub(crate) fn resident_megabytes(&self) -> u64 {
        let id = self.server.as_ref().map_or(0, Child::id);
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.map(|line| line.trim().trim_end_matches(" kB"));
        kilobytes.map_or(0, |number| number.parse().unwrap_or(0) / 1024)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An answer to a POST.
pub(crate) struct Made(Value);

impl Made {
    pub(crate) fn id(&self) -> String {
        text(&self.0["id"])
    }
}

fn handbill(database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handbill"));
    command
        .env("DATABASE_URL", database)
        .env("HANDBILL_RATE_LIMIT", "off")
        .env("HANDBILL_WEBHOOKS_ALLOW_HTTP", "on")
        .env("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", "127.0.0.0/8")
        .env("RUST_LOG", "error");
    command
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
