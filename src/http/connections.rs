//! Connections: how many there are, and how long one may keep us waiting.
//!
//! actix gives the first head on a connection a deadline, and the rest between two requests. It has none for a head that
//! follows another request, and none for a client that does not take its answer; those are here, around the socket.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::turnstile::Turnstile;

/// How long the head of a request may take to arrive.
pub(super) const HEAD: Duration = Duration::from_secs(5);
/// How long a client may leave an answer lying without taking any of it.
const LYING: Duration = Duration::from_secs(20);
/// How many bytes of an answer give its client another second to take all of it. Twenty it has anyway.
const BYTES_PER_SECOND: u64 = 16 << 10;
/// What a connection's own deadlines have in common with actix's, that one says first.
const AFTER_ACTIX: Duration = Duration::from_secs(1);

/// The open connections of this process. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Connections {
    open: Arc<AtomicUsize>,
    most: usize,
}

impl Connections {
    /// None yet, and at most so many.
    pub fn at_most(most: usize) -> Self {
        Self {
            open: Arc::default(),
            most,
        }
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many may be.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Whether nine tenths of the places are taken. Then no answer keeps its connection, so that whoever waits for a
    /// place gets one.
    pub fn are_nearly_all_taken(&self) -> bool {
        self.open() * 10 >= self.most * 9
    }
}

/// How a connection stands: what its deadline is made of.
#[derive(Debug)]
pub struct Seat {
    /// Requests that are being answered.
    at_work: Cell<usize>,
    /// When something last went out, or the connection began.
    since: Cell<Instant>,
    /// When the first byte came after that.
    heard: Cell<Option<Instant>>,
    /// Since when an answer lies there.
    lying: Cell<Option<Instant>>,
    /// Until when all of it has to be taken: its client may take a little of it again and again.
    taken_by: Cell<Option<Instant>>,
    /// How long it may rest.
    rest: Duration,
    /// How many requests have been answered.
    answered: Cell<u64>,
    /// Who is woken when the next one is: there are bytes that wait for it.
    next: RefCell<Option<Waker>>,
}

impl Seat {
    fn new(rest: Duration) -> Self {
        Self {
            at_work: Cell::new(0),
            since: Cell::new(Instant::now()),
            heard: Cell::new(None),
            lying: Cell::new(None),
            taken_by: Cell::new(None),
            rest,
            answered: Cell::new(0),
            next: RefCell::new(None),
        }
    }

    /// A request is being answered until this is dropped.
    pub fn work(self: &Rc<Self>) -> Work {
        self.at_work.set(self.at_work.get() + 1);
        self.heard.set(None);
        Work(Rc::clone(self))
    }

    /// So many bytes are not taken now.
    fn lies(&self, bytes: usize) {
        let now = Instant::now();
        if self.lying.get().is_none() {
            self.lying.set(Some(now));
        }
        if self.taken_by.get().is_none() {
            let more = Duration::from_secs(bytes as u64 / BYTES_PER_SECOND);
            self.taken_by.set(Some(now + LYING + more));
        }
    }

    /// When it is over. A request that is being answered has deadlines of its own.
    fn deadline(&self) -> Option<Instant> {
        if let Some(lying) = self.lying.get() {
            let lying = lying + LYING;
            return Some(self.taken_by.get().map_or(lying, |by| by.min(lying)));
        }
        if self.at_work.get() > 0 {
            return None;
        }
        let since = self.since.get();
        let rest = since + self.rest + AFTER_ACTIX;
        Some(match self.heard.get() {
            Some(heard) => rest.min(heard.max(since) + HEAD + AFTER_ACTIX),
            None => rest,
        })
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Work(Rc<Seat>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.at_work.set(self.0.at_work.get() - 1);
        self.0.since.set(Instant::now());
        self.0.answered.set(self.0.answered.get() + 1);
        if let Some(next) = self.0.next.take() {
            next.wake();
        }
    }
}

/// A socket with deadlines, of which one request is read at a time. When a deadline has passed, it fails as if it had
/// broken.
pub(super) struct Connection {
    socket: TcpStream,
    turnstile: Turnstile,
    /// What has been read and may not pass yet: a part of one read, so no more than its buffer takes.
    held: Bytes,
    seat: Rc<Seat>,
    /// When the deadlines are looked at next: never later than the first of them.
    look: Pin<Box<Sleep>>,
    connections: Connections,
}

impl Connection {
    pub(super) fn on(socket: TcpStream, connections: Connections, rest: Duration) -> Self {
        connections.open.fetch_add(1, Ordering::Relaxed);
        Self {
            socket,
            turnstile: Turnstile::default(),
            held: Bytes::new(),
            seat: Rc::new(Seat::new(rest)),
            look: Box::pin(sleep_until(Instant::now() + HEAD)),
            connections,
        }
    }

    pub(super) fn seat(&self) -> Rc<Seat> {
        Rc::clone(&self.seat)
    }

    /// What to say while the socket can do nothing: that it is too late, or that it has to be waited for.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        loop {
            let deadline = self.seat.deadline();
            if let Some(earlier) = deadline.filter(|deadline| *deadline < self.look.deadline()) {
                self.look.as_mut().reset(earlier);
            }
            if self.look.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            match deadline {
                Some(deadline) if deadline <= now => {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                // A request is on its way: no deadline is nearer than that of a head.
                deadline => self.look.as_mut().reset(deadline.unwrap_or(now + HEAD)),
            }
        }
    }

    /// Takes what may not pass yet out of what has been read into `buffer` after `before`.
    fn hold_back(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let read = &buffer.filled()[before..];
        let passed = self.turnstile.admit(read, self.seat.answered.get());
        if passed < read.len() {
            self.held = Bytes::copy_from_slice(&read[passed..]);
            buffer.set_filled(before + passed);
        }
    }

    /// Puts what may pass now of what was held back into `buffer`.
    fn let_in(&mut self, buffer: &mut ReadBuf<'_>) {
        let room = self.held.len().min(buffer.remaining());
        let passed = self
            .turnstile
            .admit(&self.held[..room], self.seat.answered.get());
        buffer.put_slice(&self.held.split_to(passed));
    }

    /// `bytes` were to be written.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        bytes: usize,
        wrote: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if wrote.is_pending() {
            self.seat.lies(bytes);
            return self.wait(cx);
        }
        self.seat.lying.set(None);
        self.seat.since.set(Instant::now());
        wrote
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.held.is_empty() {
            let read = Pin::new(&mut self.socket).poll_read(cx, buffer);
            if read.is_pending() {
                return self.wait(cx);
            }
            if buffer.filled().len() == before {
                return read;
            }
            self.hold_back(buffer, before);
        } else {
            self.let_in(buffer);
        }
        if buffer.filled().len() == before {
            self.seat.next.replace(Some(cx.waker().clone()));
            return self.wait(cx);
        }
        if self.seat.heard.get().is_none() {
            self.seat.heard.set(Some(Instant::now()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.wrote(cx, bytes.len(), wrote)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // actix flushes when it has written all that there was.
        self.seat.taken_by.set(None);
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat() -> Seat {
        Seat::new(Duration::from_mins(1))
    }

    #[test]
    fn an_answer_that_is_not_touched_lies_twenty_seconds() {
        let (seat, began) = (seat(), Instant::now());
        seat.lies(1 << 20);
        let patience = seat.deadline().expect("a deadline") - began;
        assert_eq!(patience.as_secs(), 20);
    }

    #[test]
    fn who_takes_a_little_now_and_then_gets_no_more_time_than_the_answer_is_large() {
        let (seat, began) = (seat(), Instant::now());
        seat.lies(160 << 10);
        // Some of it is taken, and the rest lies there anew.
        seat.lying.set(Some(began + Duration::from_secs(25)));
        seat.lies(100 << 10);
        let patience = seat.deadline().expect("a deadline") - began;
        assert_eq!(patience.as_secs(), 30);
    }
}
