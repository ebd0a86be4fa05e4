//! A server on a port of its own, built by the same function as `main`'s.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use handbill::accounts;
use handbill::api_keys::issue;
use handbill::api_keys::model::Secret;
use handbill::app::App;
use handbill::clock::{Clock, Timestamp};
use handbill::config::Config;
use handbill::db::Db;
use handbill::db::positions::Positions;
use handbill::http::remembered::Answers;
use handbill::http::server;
use handbill::ids::{AccountId, ApiKeyId};
use handbill::parse::Parse;
use handbill::text::Name;

use super::{Caller, Database};

/// A running server, its database, and somebody with a key. Dereferences to the somebody.
pub struct TestApp {
    pub database: Database,
    pub app: App,
    pub base: String,
    pub caller: Caller,
    handle: ServerHandle,
}

impl std::ops::Deref for TestApp {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl TestApp {
    /// A server with the default settings, except that nobody is rate-limited.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, &[]).await
    }

    /// A server with these settings, whose clock stands until it is turned.
    pub async fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let start = Timestamp::parse("2024-03-01T09:00:00Z").expect("a time");
        Self::start_at(database, settings, Clock::fixed(start)).await
    }

    /// A server with these settings and this clock.
    pub async fn start_at(database: Database, settings: &[(&str, &str)], clock: Clock) -> Self {
        let (app, base, handle) = serve(
            &database,
            settings,
            clock,
            Positions::default(),
            Answers::default(),
        );
        let caller = tenant(&app, &base, "default").await;
        Self {
            database,
            app,
            base,
            caller,
            handle,
        }
    }

    /// Another server on the same database, which remembers nothing yet, and the same caller to it. Its clock is
    /// the system's.
    pub fn beside(&self, positions: Positions) -> Self {
        let database = self.database.shared();
        // On SQLite it hears of the first one's writes twice a second, so it remembers no answers.
        let answers = Answers::keeping(0);
        let (app, base, handle) = serve(&database, &[], Clock::System, positions, answers);
        let caller = Caller::new(&base, self.caller.key.clone());
        Self {
            database,
            app,
            base,
            caller,
            handle,
        }
    }

    /// A server on a copy of this one's database, with its clock, and the same caller to it.
    pub fn on_a_copy(&self, database: Database, settings: &[(&str, &str)]) -> Self {
        let clock = self.app.clock.clone();
        let (app, base, handle) = serve(
            &database,
            settings,
            clock,
            Positions::default(),
            Answers::default(),
        );
        let caller = Caller::new(&base, self.caller.key.clone());
        Self {
            database,
            app,
            base,
            caller,
            handle,
        }
    }

    /// Somebody with a key of another account.
    pub async fn stranger(&self) -> Caller {
        self.another("stranger").await
    }

    /// Somebody with an account of this name.
    pub async fn another(&self, name: &str) -> Caller {
        tenant(&self.app, &self.base, name).await
    }

    /// Somebody without a key.
    pub fn nobody(&self) -> Caller {
        Caller::new(&self.base, None)
    }

    /// Turns the clock. Ids sort by time, so things made one after the other need a moment between them.
    pub fn wait(&self, seconds: i64) {
        self.app.clock.advance(seconds);
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// A running server: what its requests can reach, where it is, how to stop it.
fn serve(
    database: &Database,
    settings: &[(&str, &str)],
    clock: Clock,
    positions: Positions,
    answers: Answers,
) -> (App, String, ServerHandle) {
    let journal = database.journal();
    let journal = journal.to_str().expect("text");
    let defaults = [
        ("HANDBILL_SCAN_JOURNAL", journal),
        ("HANDBILL_WORKERS", "2"),
        ("HANDBILL_DATABASE_CONNECTIONS", "8"),
        ("HANDBILL_RATE_LIMIT", "off"),
        ("HANDBILL_WRONG_KEY_LIMIT", "off"),
    ];
    let settings = defaults
        .iter()
        .filter(|(name, _)| !settings.iter().any(|(other, _)| other == name))
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = Config::from_vars(settings).expect("settings");
    let db =
        Db::open(&database.url, config.database_connections, clock.clone()).expect("the database");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let bound = listener.local_addr().expect("an address");
    let public_url = config.public_url_for(bound);
    let app = App {
        positions: Arc::new(positions),
        answers: Arc::new(answers),
        ..App::new(db, clock, config, public_url)
    };
    let running = server::serve(app.clone(), listener).expect("a server");
    let handle = running.handle();
    actix_web::rt::spawn(running);
    let base = format!("http://{bound}");
    (app, base, handle)
}

async fn tenant(app: &App, base: &str, name: &str) -> Caller {
    let secret = Secret::random();
    let key = Some(secret.reveal().to_owned());
    let name = Name::parse(name).expect("a name");
    app.db
        .write(move |conn, now| {
            let account = accounts::open::open(conn, AccountId::random(), &name, now)?;
            issue::issue(conn, &account.id, ApiKeyId::new(now), &name, &secret, now)
        })
        .await
        .expect("a tenant");
    Caller::new(base, key)
}
