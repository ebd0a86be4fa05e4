//! The scan journal: a file that takes scans while the database cannot.
//!
//! One JSON object per line, synced before the phone is sent on, with an end (`HANDBILL_SCAN_JOURNAL_MEGABYTES`).
//! Each scan already has its impression's id, so writing the same line to the database twice makes one impression:
//! that is what makes a replay exact, however often it is cut short. `book` is the file itself.

mod book;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::model::Impression;
use super::replay::Entry;
use crate::error::Error;
use book::Book;
pub use book::{check, is_left_over};

/// How many scans may wait for the disk; the next one is turned away.
const LONGEST_QUEUE: usize = 2048;
/// The most scans that share a sync.
const LARGEST_GROUP: usize = 512;
/// The door to the journal. Cheap to clone; the file is opened when it is first needed, and again as long as it could not be.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    path: PathBuf,
    most_bytes: u64,
    asks: OnceLock<mpsc::Sender<Ask>>,
    seen: Arc<Seen>,
    /// Whether the database failed and has not been seen to work since.
    in_use: AtomicBool,
}

/// How the file was when it was last used.
#[derive(Default)]
struct Seen {
    /// Scans in it that are not known to be stored.
    waiting: AtomicU64,
    /// Whether it could not be opened, or took no scan.
    is_broken: AtomicBool,
}

enum Ask {
    Append(String, oneshot::Sender<io::Result<()>>),
    /// The first lines that are not known to be stored.
    Read(oneshot::Sender<io::Result<Vec<String>>>),
    /// What was read is stored.
    Done(oneshot::Sender<io::Result<()>>),
}

impl Journal {
    /// A journal in a file of at most `most_bytes` at `path`, or beside it if another process holds that one.
    pub fn at(path: PathBuf, most_bytes: u64) -> Self {
        Self(Arc::new(Inner {
            path,
            most_bytes,
            asks: OnceLock::new(),
            seen: Arc::default(),
            in_use: AtomicBool::new(false),
        }))
    }

    /// Keeps `impression` on disk until it can be stored.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the journal is full or cannot be written.
    pub async fn append(&self, impression: &Impression) -> Result<(), Error> {
        let line = serde_json::to_string(&Entry::from(impression)).map_err(Error::internal)?;
        self.ask(|reply| Ask::Append(line, reply)).await
    }

    /// The first scans that wait to be stored, as many as are read at once.
    pub async fn read(&self) -> Result<Vec<String>, Error> {
        self.ask(Ask::Read).await
    }

    /// Forgets the scans that were read last: they are stored.
    pub async fn done(&self) -> Result<(), Error> {
        self.ask(Ask::Done).await
    }

    /// How many scans wait to be stored, as far as this process knows.
    pub fn waiting(&self) -> u64 {
        self.0.seen.waiting.load(Ordering::Relaxed)
    }

    /// Whether it could not take a scan, or not be opened, when it was last asked to.
    pub fn is_broken(&self) -> bool {
        self.0.seen.is_broken.load(Ordering::Relaxed)
    }

    /// Whether scans go to the journal without asking the database first.
    pub fn is_in_use(&self) -> bool {
        self.0.in_use.load(Ordering::Relaxed)
    }

    /// The database has failed, or works again.
    pub fn use_it(&self, in_use: bool) {
        if self.0.in_use.swap(in_use, Ordering::Relaxed) != in_use {
            match in_use {
                true => log::error!("the database takes no scans: they go to the journal"),
                false => log::info!("the database takes scans again"),
            }
        }
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<io::Result<T>>) -> Ask,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let asks = self.0.asks.get_or_init(|| self.start());
        asks.try_send(ask(reply)).map_err(|refused| {
            let why = match refused {
                TrySendError::Full(_) => "too many scans wait for the journal",
                TrySendError::Closed(_) => "the journal's thread is gone",
            };
            Error::Unavailable(why.to_owned())
        })?;
        let told = answer
            .await
            .map_err(|_| Error::internal("the journal dropped a scan"))?;
        told.map_err(|error| Error::Unavailable(format!("the scan journal: {error}")))
    }

    fn start(&self) -> mpsc::Sender<Ask> {
        let (asks, waiting) = mpsc::channel(LONGEST_QUEUE);
        let desk = Desk {
            path: self.0.path.clone(),
            most_bytes: self.0.most_bytes,
            book: None,
            seen: Arc::clone(&self.0.seen),
        };
        if let Err(error) = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || desk.serve(waiting))
        {
            log::error!("the scan journal has no thread: {error}");
        }
        asks
    }
}

/// Who works with the file: one thread, until nobody can ask any more.
struct Desk {
    path: PathBuf,
    most_bytes: u64,
    book: Option<Book>,
    seen: Arc<Seen>,
}

impl Desk {
    fn serve(mut self, mut asks: mpsc::Receiver<Ask>) {
        let mut group = Vec::with_capacity(LARGEST_GROUP);
        while asks.blocking_recv_many(&mut group, LARGEST_GROUP) > 0 {
            match self.open() {
                Ok(()) => self.answer(group.drain(..)),
                Err(error) => {
                    // Once, and not at every scan: that it goes on can be seen in the metrics.
                    if !self.seen.is_broken.load(Ordering::Relaxed) {
                        log::error!("the scan journal {}: {error}", self.path.display());
                    }
                    self.seen.is_broken.store(true, Ordering::Relaxed);
                    group.drain(..).for_each(|ask| ask.refuse(&error));
                }
            }
        }
    }

    fn open(&mut self) -> io::Result<()> {
        if self.book.is_none() {
            self.book = Some(Book::open(&self.path, self.most_bytes)?);
            self.seen.is_broken.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    fn answer(&mut self, group: impl Iterator<Item = Ask>) {
        let Some(book) = &mut self.book else { return };
        let mut appended = Vec::new();
        let seen = |waiting| self.seen.waiting.store(waiting, Ordering::Relaxed);
        let took = |is_kept: bool| self.seen.is_broken.store(!is_kept, Ordering::Relaxed);
        for ask in group {
            match ask {
                Ask::Append(line, reply) => match book.append(&line) {
                    Ok(()) => appended.push(reply),
                    Err(error) => {
                        took(false);
                        drop(reply.send(Err(error)));
                    }
                },
                Ask::Read(reply) => {
                    // Other processes were there once and are not; what they kept is read with ours.
                    if book.waiting() == 0
                        && let Ok(Some(other)) = Book::left_over(&self.path, self.most_bytes)
                    {
                        *book = other;
                    }
                    if self.seen.is_broken.load(Ordering::Relaxed) {
                        took(book.try_out().is_ok());
                    }
                    let read = book.read();
                    seen(book.waiting());
                    drop(reply.send(read));
                }
                Ask::Done(reply) => {
                    let done = book.done();
                    seen(book.waiting());
                    took(done.is_ok());
                    drop(reply.send(done));
                }
            }
        }
        if appended.is_empty() {
            return;
        }
        let synced = book.sync();
        took(synced.is_ok());
        seen(book.waiting());
        for reply in appended {
            let _ = reply.send(synced.as_ref().map_err(same).copied());
        }
    }
}

impl Ask {
    fn refuse(self, error: &io::Error) {
        match self {
            Self::Append(_, reply) | Self::Done(reply) => drop(reply.send(Err(same(error)))),
            Self::Read(reply) => drop(reply.send(Err(same(error)))),
        }
    }
}

/// An error can be told once; this one is told to many.
fn same(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}
