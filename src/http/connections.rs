//! Connections: how many there are, how long one may keep us waiting, and one request at a time on each.
//!
//! actix gives the first head on a connection a deadline, and the rest between two requests. It has none for a head that
//! follows another request, and none for a client that does not take its answer; those are here, around the socket.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::seat::{HEAD, Seat};
use super::turnstile::Turnstile;

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
        let passed = self.turnstile.admit(read, self.seat.answered());
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
            .admit(&self.held[..room], self.seat.answered());
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
        self.seat.speaks();
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
            self.seat.wake_when_answered(cx.waker());
            return self.wait(cx);
        }
        self.seat.hears();
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
        self.seat.has_spoken();
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
