//! The scan journal: a file that takes scans while the database cannot.
//!
//! One JSON object per line, synced before the phone is sent on, with an end (`HANDBILL_SCAN_JOURNAL_MEGABYTES`).
//! Each scan already has its impression's id, so writing the same line to the database twice makes one impression:
//! that is what makes a replay exact, however often it is cut short.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::model::Impression;
use super::replay::Entry;
use crate::error::Error;

/// How many scans may wait for the disk; the next one is turned away.
const LONGEST_QUEUE: usize = 2048;
/// The most scans that share a sync.
const LARGEST_GROUP: usize = 512;
/// How many processes may keep a journal under one name, each with a number of its own.
const MOST_PROCESSES: usize = 64;

/// The door to the journal. Cheap to clone; the file is opened when it is first needed.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    path: PathBuf,
    most_bytes: u64,
    asks: OnceLock<mpsc::Sender<Ask>>,
    /// Scans in the file.
    waiting: AtomicU64,
    /// Whether the database failed and has not been seen to work since.
    in_use: AtomicBool,
}

enum Ask {
    Append(String, oneshot::Sender<io::Result<()>>),
    /// All lines of before; what is appended from now on is not among them.
    Read(oneshot::Sender<io::Result<Vec<String>>>),
    /// What was read is stored.
    Done(oneshot::Sender<io::Result<bool>>),
}

impl Journal {
    /// A journal in a file of at most `most_bytes` at `path`, or beside it if another process holds that one.
    pub fn at(path: PathBuf, most_bytes: u64) -> Self {
        Self(Arc::new(Inner {
            path,
            most_bytes,
            asks: OnceLock::new(),
            waiting: AtomicU64::new(0),
            in_use: AtomicBool::new(false),
        }))
    }

    /// Keeps `impression` on disk until it can be stored.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the journal is full or cannot be written.
    pub async fn append(&self, impression: &Impression) -> Result<(), Error> {
        let line = serde_json::to_string(&Entry::from(impression)).map_err(Error::internal)?;
        self.ask(|reply| Ask::Append(line, reply)).await?;
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The scans that wait to be stored.
    pub async fn read(&self) -> Result<Vec<String>, Error> {
        let lines = self.ask(Ask::Read).await?;
        self.0.waiting.store(lines.len() as u64, Ordering::Relaxed);
        Ok(lines)
    }

    /// Forgets the scans that were read last: they are stored.
    pub async fn done(&self) -> Result<(), Error> {
        let is_empty = self.ask(Ask::Done).await?;
        // Scans that came meanwhile are read with the next round, and those of this one are found to be stored.
        self.0
            .waiting
            .store(u64::from(!is_empty), Ordering::Relaxed);
        Ok(())
    }

    /// How many scans wait to be stored, as far as this process knows.
    pub fn waiting(&self) -> u64 {
        self.0.waiting.load(Ordering::Relaxed)
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
        asks.try_send(ask(reply))
            .map_err(|_| Error::Unavailable("too many scans wait for the journal".to_owned()))?;
        let told = answer
            .await
            .map_err(|_| Error::internal("the journal dropped a scan"))?;
        told.map_err(|error| Error::Unavailable(format!("the scan journal: {error}")))
    }

    fn start(&self) -> mpsc::Sender<Ask> {
        let (asks, waiting) = mpsc::channel(LONGEST_QUEUE);
        let (path, most_bytes) = (self.0.path.clone(), self.0.most_bytes);
        let desk = move || serve(&path, most_bytes, waiting);
        if let Err(error) = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(desk)
        {
            log::error!("the scan journal has no thread: {error}");
        }
        asks
    }
}

fn serve(path: &Path, most_bytes: u64, mut waiting: mpsc::Receiver<Ask>) {
    let mut book = None;
    let mut group = Vec::with_capacity(LARGEST_GROUP);
    while waiting.blocking_recv_many(&mut group, LARGEST_GROUP) > 0 {
        if book.is_none() {
            book = Book::open(path, most_bytes)
                .inspect_err(|error| log::error!("the scan journal {}: {error}", path.display()))
                .ok();
        }
        let gone = || io::Error::other("cannot be opened");
        let mut appended = Vec::new();
        for ask in group.drain(..) {
            match (&mut book, ask) {
                (Some(book), Ask::Append(line, reply)) => match book.append(&line) {
                    Ok(()) => appended.push(reply),
                    Err(error) => drop(reply.send(Err(error))),
                },
                (Some(book), Ask::Read(reply)) => drop(reply.send(book.read())),
                (Some(book), Ask::Done(reply)) => drop(reply.send(book.done())),
                (None, Ask::Append(_, reply)) => drop(reply.send(Err(gone()))),
                (None, Ask::Done(reply)) => drop(reply.send(Err(gone()))),
                (None, Ask::Read(reply)) => drop(reply.send(Err(gone()))),
            }
        }
        let synced = match &mut book {
            Some(book) if !appended.is_empty() => book.file.sync_data(),
            _ => Ok(()),
        };
        for reply in appended {
            let told = match &synced {
                Ok(()) => Ok(()),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            };
            let _ = reply.send(told);
        }
    }
}

/// The open file.
struct Book {
    file: File,
    bytes: u64,
    most_bytes: u64,
    /// How much of it was read last.
    read: u64,
}

impl Book {
    /// Opens the journal and keeps other processes out of it.
    fn open(path: &Path, most_bytes: u64) -> io::Result<Self> {
        for number in 0..MOST_PROCESSES {
            let mut name = path.as_os_str().to_owned();
            if number > 0 {
                name.push(format!(".{number}"));
            }
            let mut options = OpenOptions::new();
            let mut file = options.read(true).append(true).create(true).open(&name)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error),
            }
            File::open(folder(path))?.sync_all()?;
            let mut bytes = file.metadata()?.len();
            if bytes > 0 {
                // The last line may have been cut off by a power cut; then nobody was told that it is kept.
                file.write_all(b"\n")?;
                bytes += 1;
            }
            return Ok(Self {
                file,
                bytes,
                most_bytes,
                read: 0,
            });
        }
        Err(io::Error::other("every name is taken by another process"))
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        let length = line.len() as u64 + 1;
        if self.bytes + length > self.most_bytes {
            return Err(io::Error::other("it is full"));
        }
        if let Err(error) = self.file.write_all(format!("{line}\n").as_bytes()) {
            // A disk that is full took half a line: the next one must not be written behind it.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += length;
        Ok(())
    }

    fn read(&mut self) -> io::Result<Vec<String>> {
        self.read = self.file.metadata()?.len();
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        (&self.file).take(self.read).read_to_end(&mut text)?;
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.filter_map(|line| String::from_utf8(line.to_vec()).ok());
        Ok(lines.filter(|line| !line.trim().is_empty()).collect())
    }

    /// Empties the file, if nothing was appended since it was read. Whether it is empty now.
    fn done(&mut self) -> io::Result<bool> {
        let is_all = self.file.metadata()?.len() == self.read;
        if is_all {
            self.file.set_len(0)?;
            self.file.sync_all()?;
            self.bytes = 0;
        }
        Ok(is_all)
    }
}

/// Where the file stands; a name alone stands where the process works.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Whether a journal under this name has scans from before.
pub fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_os_string();
    let Ok(entries) = fs::read_dir(folder(path)) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let own = entry.file_name();
        own.as_encoded_bytes().starts_with(name.as_encoded_bytes())
            && entry.metadata().is_ok_and(|metadata| metadata.len() > 0)
    })
}
