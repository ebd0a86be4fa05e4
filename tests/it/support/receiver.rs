//! Somebody who gets webhooks: a server that notes what comes and answers as the test says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// What is done with a request.
pub enum Reply {
    /// This status, these headers (each with a line end), this body.
    Say(u16, &'static str, String),
    /// Nothing for a minute.
    Hang,
    /// 200 and a body without an end.
    Endless,
}

/// Answers with a status and nothing else.
pub fn say(status: u16) -> Reply {
    Reply::Say(status, "", String::new())
}

pub struct Receiver {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    /// How many bytes of an endless body were taken.
    pub taken: Arc<AtomicUsize>,
}

impl Receiver {
    /// A server that answers the request with this number (from 0) as `reply` says.
    pub fn start(reply: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = Self {
            url,
            received: Arc::default(),
            taken: Arc::default(),
        };
        let (received, taken) = (receiver.received.clone(), receiver.taken.clone());
        let reply = Arc::new(reply);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (received, taken, reply) = (received.clone(), taken.clone(), reply.clone());
                thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    let number = {
                        let mut all = received.lock().expect("the list");
                        all.push(request.clone());
                        all.len() - 1
                    };
                    answer(stream, reply(number, &request), &taken);
                });
            }
        });
        receiver
    }

    /// A server that takes everything.
    pub fn friendly() -> Self {
        Self::start(|_, _| say(204))
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("the list").clone()
    }

    /// The ids of what came, in the order in which it came.
    pub fn ids(&self) -> Vec<String> {
        self.received()
            .iter()
            .map(|one| one.id().to_owned())
            .collect()
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            None => break,
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
        };
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Received { headers, body })
}

fn answer(mut stream: TcpStream, reply: Reply, taken: &AtomicUsize) {
    match reply {
        Reply::Hang => thread::sleep(Duration::from_mins(1)),
        Reply::Say(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
                body.len()
            );
            // Whoever has hung up hears nothing.
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(body.as_bytes()));
        }
        Reply::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while stream.write_all(&[b'x'; 1024]).is_ok() {
                taken.fetch_add(1024, Ordering::Relaxed);
            }
        }
    }
}
