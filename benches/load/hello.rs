//! The ceiling: an actix server that does nothing, in a process of its own, with as many workers.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::Duration;

use actix_web::{App, HttpServer, web};

pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let program = std::env::current_exe().expect("this program");
        let process = Command::new(program)
            .args(["hello", &port.to_string()])
            .spawn()
            .expect("the bare server");
        wait_for(port);
        Self {
            process,
            url: format!("http://127.0.0.1:{port}/"),
        }
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

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

pub(crate) fn wait_for(port: u16) {
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing listens on port {port}");
}
