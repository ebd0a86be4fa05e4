//! The HTTP server: where it listens, and how long it waits for whom.

use std::io;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_server::GracefulShutdownSignal;
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::{AppConfig, Server};
use actix_web::error::DispatchError;
use actix_web::rt::net::TcpStream;

use super::connections::Connection;
use super::seat::HEAD;
use crate::app::{self, App};

/// How long a client may take to hang up.
const HANGING_UP: Duration = Duration::from_secs(1);

/// Serves `app` on `listener`. The server runs when it is awaited. When its handle stops it, it finishes what it has
/// accepted, for at most as long as the settings say; signals are its caller's.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(app: App, listener: TcpListener) -> io::Result<Server> {
    let limits = &app.config.limits;
    let cores = || available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = app.config.workers.unwrap_or_else(cores);
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(limits.connections.div_ceil(workers))
        .shutdown_timeout(limits.shutdown.as_secs())
        .disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let server = server.listen("handbill", listener, move || service(&app, &stopping))?;
    Ok(server.run())
}

/// What a worker does with a socket.
fn service(
    app: &App,
    stopping: &GracefulShutdownSignal,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>
+ use<> {
    let (config, connections) = (Arc::clone(&app.config), app.admission.connections.clone());
    let (keep_alive, stopping) = (config.limits.keep_alive, stopping.clone());
    let http = HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(keep_alive)
        .client_request_timeout(HEAD)
        .client_disconnect_timeout(HANGING_UP)
        .on_connect_ext(|connection: &Connection, data| {
            data.insert(connection.seat());
        })
        .finish(map_config(app::build(app.clone()), |()| {
            AppConfig::default()
        }));
    fn_service(move |socket: TcpStream| {
        let connections = connections.clone();
        async move {
            let _ = socket.set_nodelay(true);
            let peer = socket.peer_addr().ok();
            Ok((
                Connection::on(socket, connections, keep_alive),
                Protocol::Http1,
                peer,
            ))
        }
    })
    .and_then(http)
}
