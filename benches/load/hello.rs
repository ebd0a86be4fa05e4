//! The ceiling: an actix server that does nothing, in a process of its own, with as many workers.

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use actix_web::{App, HttpServer, web};

use crate::support::http::{Connection, free_port};

pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let program = std::env::current_exe().expect("this program");
        let process = Command::new(program)
            .args(["hello", &port.to_string()])
            .spawn()
            .expect("the bare server");
        while Connection::open(port).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Self { process, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn serve(port: u16) {
    let served = actix_web::rt::System::new().block_on(async {
        HttpServer::new(|| App::new().route("/", web::get().to(async || "hello")))
            .bind(("127.0.0.1", port))?
            .run()
            .await
    });
    served.expect("the bare server");
}
