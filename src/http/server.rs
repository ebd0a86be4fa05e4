//! The HTTP server: where it listens, and how long it waits for whom.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;

use crate::app::{self, App};

/// Serves `app` on `listener`. The server runs when it is awaited. When its handle stops it, it finishes what it has
/// accepted, for at most 30 seconds; signals are its caller's.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(app: App, listener: TcpListener) -> std::io::Result<Server> {
    let workers = app.config.workers;
    let mut server = HttpServer::new(move || app::build(app.clone()))
        .client_request_timeout(Duration::from_secs(5))
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(Duration::from_secs(75))
        .max_connections(10_000)
        .shutdown_timeout(30)
        .disable_signals();
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    Ok(server.listen(listener)?.run())
}
