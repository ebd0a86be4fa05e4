//! `handbill serve`.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::rt::System;
use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::{say, sentence, upgrade};
use crate::accounts;
use crate::accounts::model::DEFAULT_NAME;
use crate::api_keys::issue;
use crate::api_keys::model::Secret;
use crate::app::App;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::db::{Db, file, migrations};
use crate::error::Error;
use crate::http::{metrics, server};
use crate::ids::{AccountId, ApiKeyId};
use crate::impressions::file::reopen;
use crate::impressions::journal;
use crate::parse::Parse;
use crate::payday;
use crate::text::Name;
use crate::webhooks::dispatch;
use crate::webhooks::reseal::reseal;
use crate::worker;

/// How long a webhook that is on its way may take when the process ends, if requests have as long.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the rest of the process has to end after the requests.
const GRACE: Duration = Duration::from_secs(3);

/// Opens the database, migrates it, makes the first key if there is nobody yet, and serves until told to stop.
pub(super) fn serve(config: Config) -> Result<(), String> {
    let listener = listen(&config)?;
    let bound = listener.local_addr().map_err(|error| error.to_string())?;
    // Somebody else's file is not even held, and another server's is not migrated.
    migrations::may_run(&config.database_url)?;
    let held = file::hold(&config.database_url);
    let _held = held.map_err(|error| sentence(&error))?;
    for migration in upgrade(&config.database_url)? {
        log::info!("applied migration {migration}");
    }
    let journal = config.scan_journal();
    journal::check(&journal).map_err(|error| {
        let path = journal.display();
        format!("the scan journal cannot be opened: {path}: {error}; HANDBILL_SCAN_JOURNAL says where it is to be")
    })?;
    let db = Db::open(
        &config.database_url,
        config.database_connections,
        Clock::System,
    )
    .map_err(|error| sentence(&error))?;
    let public_url = config.public_url_for(bound);
    System::new().block_on(async {
        let app = App::new(db, Clock::System, config, public_url);
        let ready = prepare(&app).await;
        ready.map_err(|error| sentence(&error))?;
        run(app, listener).await
    })
}

/// What has to be done before anybody is served, and what whoever runs the server should know by then.
async fn prepare(app: &App) -> Result<(), Error> {
    let keys = app.config.webhooks.keys.clone();
    // Before one may turn out to be missing.
    if let Some(names) = keys.names() {
        log::info!("HANDBILL_ENCRYPTION_KEYS has the keys {names}; the first encrypts");
    }
    match app.db.write(move |conn, _| reseal(conn, &keys)).await? {
        0 => {}
        changed => log::info!("encrypted the secrets of {changed} webhook endpoints"),
    }
    if let Some(secret) = first_key(app).await? {
        say(&format!(
            "The first key of the account {DEFAULT_NAME}, shown this once: {}",
            secret.reveal()
        ));
    }
    if app.db.write(reopen).await? > 0 {
        log::warn!("the clock is behind that of the last scans: they are filed once more");
    }
    let dangers = app.db.dangers().await?;
    if !dangers.is_empty() {
        log::warn!(
            "the PostgreSQL server runs with {} off: a power cut can take what was answered",
            dangers.join(" and ")
        );
    }
    if app.config.public_url.is_none() {
        // What is printed stays.
        log::warn!(
            "HANDBILL_PUBLIC_URL is not set: posters that are printed now lead to {}",
            app.public_url
        );
    }
    Ok(())
}

/// Takes the configured address.
pub(super) fn listen(config: &Config) -> Result<TcpListener, String> {
    TcpListener::bind(config.bind)
        .map_err(|error| format!("cannot listen on {}: {error}", config.bind))
}

/// Serves until told to stop, with the background work beside it. Then requests and webhooks that are on their way have
/// time to end, both at once.
pub(super) async fn run(app: App, listener: TcpListener) -> Result<(), String> {
    let bound = listener.local_addr().map_err(|error| error.to_string())?;
    let url = app.public_url.clone();
    let worker = actix_web::rt::spawn(worker::run(app.clone()));
    let payday = actix_web::rt::spawn(payday::run(app.clone()));
    let (stop, stopped) = oneshot::channel();
    let stopped = stopped.map(|_| ());
    let patience = PATIENCE.min(app.config.limits.shutdown);
    let webhooks = actix_web::rt::spawn(dispatch::run(app.clone(), stopped, patience));
    let watched = watched(&app)?;
    let longest = app.config.limits.shutdown + GRACE;
    let server = server::serve(app, listener).map_err(|error| error.to_string())?;
    let (handle, told) = (server.handle(), told_to_stop()?);
    actix_web::rt::spawn(async move {
        let told = told.await;
        log::info!("stopping after {told}: what was accepted is finished");
        end_after(longest);
        let _ = stop.send(());
        handle.stop(true).await;
    });
    log::info!("listening on {bound}, reachable at {url}, docs at {url}/docs");
    let served = server.await.map_err(|error| error.to_string());
    worker.abort();
    payday.abort();
    let _ = webhooks.await;
    if let Some(watched) = watched {
        watched.stop(false).await;
    }
    log::info!("stopped");
    served
}

/// Ends the process after so long, whatever it is still waiting for: a server that does not answer keeps threads for ever.
fn end_after(longest: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(longest);
        log::error!("not everything that was accepted could be finished in time");
        std::process::exit(1);
    });
}

/// Waits for a signal that ends a process, from now on. Its name.
fn told_to_stop() -> Result<impl Future<Output = &'static str>, String> {
    let listen = |kind| signal(kind).map_err(|error| error.to_string());
    let mut interrupted = listen(SignalKind::interrupt())?;
    let mut terminated = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => "SIGINT",
            _ = terminated.recv() => "SIGTERM",
        }
    })
}

/// Serves the metrics where they were asked for, if that is not beside the API.
fn watched(app: &App) -> Result<Option<actix_web::dev::ServerHandle>, String> {
    let Some(bind) = app.config.metrics_bind else {
        return Ok(None);
    };
    let refused = |error| format!("cannot listen on {bind}: {error}");
    let listener = TcpListener::bind(bind).map_err(refused)?;
    let server = metrics::serve(app.clone(), listener).map_err(refused)?;
    let handle = server.handle();
    actix_web::rt::spawn(server);
    log::info!("metrics on {bind}");
    Ok(Some(handle))
}

/// On an empty database: the account `default` and a key, which is returned to be shown.
async fn first_key(app: &App) -> Result<Option<Secret>, Error> {
    let secret = Secret::random();
    let revealed = Secret::presented(secret.reveal());
    let made = app
        .db
        .write(move |conn, now| {
            if accounts::queries::any(conn)? {
                return Ok(false);
            }
            move_in(conn, &secret, now)
        })
        .await;
    match made {
        // Another process started at the same moment and moved in first.
        Err(Error::Conflict { .. }) => Ok(None),
        made => Ok(made?.then_some(revealed)),
    }
}

fn move_in(
    conn: &mut crate::db::DbConnection,
    secret: &Secret,
    now: Timestamp,
) -> Result<bool, Error> {
    let name = |text| Name::parse(text).map_err(|complaint| Error::field("name", complaint));
    let account = accounts::open::open(conn, AccountId::random(), &name(DEFAULT_NAME)?, now)?;
    issue::issue(
        conn,
        &account.id,
        ApiKeyId::new(now),
        &name("first key")?,
        secret,
        now,
    )?;
    Ok(true)
}
