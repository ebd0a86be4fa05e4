//! Many receivers of webhooks that share a port; the path says how each behaves. Unlike `receiver`, it keeps
//! connections open and takes thousands of webhooks a second.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tokio::time::sleep;

/// The id of what came, and when.
pub type Arrival = (String, Instant);

type Arrived = Arc<Mutex<HashMap<String, Vec<Arrival>>>>;

/// The receivers. `/well/…` takes everything, `/slow/…` needs a while, `/huge/…` says a lot, `/elsewhere/…` sends away,
/// `/moody/…` now and then fails, hangs, or hangs up on what it has taken, `/hanging/…` never answers.
pub struct Crowd {
    pub address: SocketAddr,
    arrived: Arrived,
    calm: Arc<AtomicBool>,
    running: Option<(ServerHandle, JoinHandle<()>)>,
}

impl Crowd {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut crowd = Self {
            address: listener.local_addr().expect("an address"),
            arrived: Arrived::default(),
            calm: Arc::default(),
            running: None,
        };
        crowd.run(listener);
        crowd
    }

    fn run(&mut self, listener: TcpListener) {
        let arrived = web::Data::new(self.arrived.clone());
        let calm = web::Data::new(self.calm.clone());
        let server = HttpServer::new(move || {
            let app = App::new().app_data(arrived.clone()).app_data(calm.clone());
            app.default_service(web::to(take))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0);
        let server = server.listen(listener).expect("a server").run();
        let handle = server.handle();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new()
                .block_on(server)
                .expect("a server");
        });
        self.running = Some((handle, thread));
    }

    /// Nobody listens any more, and who is connected is cut off.
    pub async fn die(&mut self) {
        if let Some((handle, thread)) = self.running.take() {
            handle.stop(false).await;
            thread.join().expect("its end");
        }
    }

    /// After `die`, at the same address.
    pub fn come_back(&mut self) {
        self.run(TcpListener::bind(self.address).expect("the same port"));
    }

    pub fn is_dead(&self) -> bool {
        self.running.is_none()
    }

    /// From now on nobody is moody.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came at `path`, in the order in which it came.
    pub fn arrived(&self, path: &str) -> Vec<Arrival> {
        let all = self.arrived.lock().expect("the list");
        all.get(path).cloned().unwrap_or_default()
    }

    pub fn count(&self, path: &str) -> usize {
        let all = self.arrived.lock().expect("the list");
        all.get(path).map_or(0, Vec::len)
    }
}

async fn take(
    request: HttpRequest,
    arrived: web::Data<Arrived>,
    calm: web::Data<Arc<AtomicBool>>,
) -> HttpResponse {
    let id = request.headers().get("webhook-id");
    let id = id
        .and_then(|id| id.to_str().ok())
        .expect("an id")
        .to_owned();
    let number = {
        let mut all = arrived.lock().expect("the list");
        let here = all.entry(request.path().to_owned()).or_default();
        here.push((id, Instant::now()));
        here.len()
    };
    match request.path().split('/').nth(1) {
        Some("moody") if calm.load(Ordering::Relaxed) => {}
        Some("slow") => sleep(Duration::from_millis(300)).await,
        Some("huge") => return HttpResponse::Ok().body(vec![b'x'; 5_000_000]),
        Some("elsewhere") => {
            let to = ("location", "/well/elsewhere");
            return HttpResponse::TemporaryRedirect().insert_header(to).finish();
        }
        Some("hanging") => sleep(Duration::from_mins(1)).await,
        Some("moody") if number % 13 == 0 => return HttpResponse::InternalServerError().finish(),
        Some("moody") if number % 41 == 0 => sleep(Duration::from_mins(1)).await,
        // Actix closes a connection whose answer is shorter than it promised.
        Some("moody") if number % 29 == 0 => {
            return HttpResponse::Ok()
                .no_chunking(10)
                .streaming(futures_util::stream::once(async {
                    Err(std::io::Error::other("gone")) as Result<web::Bytes, _>
                }));
        }
        _ => {}
    }
    HttpResponse::NoContent().finish()
}
