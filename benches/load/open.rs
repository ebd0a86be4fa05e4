//! The open loop: requests are due at fixed moments, whether or not earlier ones were answered, and a latency counts
//! from the moment its request was due. So a pause of the server is felt by everybody who would have come meanwhile,
//! which a closed loop omits. Known tools cannot give every POST a key of its own at a fixed rate, so it is here.
//!
//! One thread looks after all connections: a thread for each would stand in the way of the server, which is on the
//! same cores. It sleeps when there is nothing to do, for at most [`NAP`], so it may notice an answer that much late;
//! when no connection is free, the next answer wakes it.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::support::milliseconds;
use crate::support::paths::Ready;

/// As many as `wrk` has.
const CONNECTIONS: usize = 64;
const NAP: Duration = Duration::from_micros(50);
/// How long it goes on before it counts: connections are new, and what the turn before has left is still being done.
const WARM_UP: Duration = Duration::from_secs(1);
/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) requests: u64,
    pub(crate) failures: u64,
}

/// A connection, and what it has read of the answer to the request that was due then.
struct Client {
    stream: TcpStream,
    due: Instant,
    answer: Vec<u8>,
}

/// `rate` requests per second for `seconds` after a warm-up, each by whichever connection is free.
pub(crate) fn drive(port: u16, requests: &Ready, rate: f64, seconds: u64) -> Latency {
    let interval = Duration::from_secs_f64(1.0 / rate).as_nanos();
    let total = (WARM_UP + Duration::from_secs(seconds)).as_nanos() / interval;
    let total = u64::try_from(total).expect("a number of requests");
    let interval = u64::try_from(interval).expect("an interval");
    let mut poll = Poll::new().expect("a poll");
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|n| connect(port, &poll, n)).collect();
    let mut free: Vec<usize> = (0..CONNECTIONS).collect();
    let mut events = Events::with_capacity(CONNECTIONS);
    let (mut latencies, mut failures) = (Vec::new(), 0);
    let (mut sent, mut answered) = (0, 0);
    let begin = Instant::now();
    let due = |n| begin + Duration::from_nanos(interval * n);
    while answered < total {
        while sent < total
            && due(sent) <= Instant::now()
            && let Some(place) = free.pop()
        {
            clients[place].send(&requests.nth(sent), due(sent));
            sent += 1;
        }
        // Whoever can send nothing waits for an answer, and leaves the processor to the server until then.
        let can_send = sent < total && !free.is_empty();
        let wait = (!can_send).then_some(PATIENCE);
        poll.poll(&mut events, wait.or(Some(Duration::ZERO)))
            .expect("events");
        for event in &events {
            let client = &mut clients[event.token().0];
            if let Some(status) = client.read() {
                answered += 1;
                if client.due >= begin + WARM_UP {
                    latencies.push(client.due.elapsed());
                }
                failures += u64::from(status >= 400);
                free.push(event.token().0);
            }
        }
        if events.is_empty() {
            assert!(can_send, "every request is answered");
            thread::sleep(NAP.min(due(sent).saturating_duration_since(Instant::now())));
        }
    }
    latencies.sort_unstable();
    let percentile =
        |percent: usize| milliseconds(latencies[(latencies.len() - 1) * percent / 100]);
    Latency {
        p50_ms: percentile(50),
        p99_ms: percentile(99),
        requests: total,
        failures,
    }
}

fn connect(port: u16, poll: &Poll, place: usize) -> Client {
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_nodelay(true).expect("a setting");
    stream.set_nonblocking(true).expect("a setting");
    let mut stream = TcpStream::from_std(stream);
    let registry = poll.registry();
    registry
        .register(&mut stream, Token(place), Interest::READABLE)
        .expect("a place in the poll");
    Client {
        stream,
        due: Instant::now(),
        answer: Vec::new(),
    }
}

impl Client {
    /// Requests are short and there is one at a time, so the socket always has room for it.
    fn send(&mut self, request: &[u8], due: Instant) {
        self.stream.write_all(request).expect("a request is sent");
        self.due = due;
        self.answer.clear();
    }

    /// Reads what has come. The answer's status, if that was the last of it: nothing comes after it unasked.
    fn read(&mut self) -> Option<u16> {
        let mut some = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut some) {
                Ok(0) => panic!("the server has closed a connection"),
                Ok(length) => self.answer.extend_from_slice(&some[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("an answer cannot be read: {error}"),
            }
            if let Some(status) = whole(&self.answer) {
                return Some(status);
            }
        }
    }
}

/// The status of an answer that is all there. Our servers always say how long it is.
fn whole(answer: &[u8]) -> Option<u16> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(answer).expect("an answer");
    let httparse::Status::Complete(length) = parsed else {
        return None;
    };
    let says_length =
        |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-length");
    let body = head.headers.iter().find(says_length).map_or(0, |header| {
        let digits = str::from_utf8(header.value).unwrap_or_default();
        digits.parse().unwrap_or(0)
    });
    head.code.filter(|_| answer.len() >= length + body)
}
