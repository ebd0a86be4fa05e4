//! The journal's file: lines are appended, read from the beginning a piece at a time, and forgotten together.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// How many bytes are read at once. How large the file may be is up to whoever sets it; memory is not.
const PIECE: u64 = 1 << 20;
/// How many processes may keep a journal under one name, each with a number of its own.
const MOST_PROCESSES: usize = 64;

/// The open file.
pub(super) struct Book {
    file: File,
    bytes: u64,
    most_bytes: u64,
    /// Whether it ends with a whole line. A power cut may have cut off the last one; then nobody was told that it is kept.
    is_whole: bool,
    /// How many lines there are in it behind `stored`.
    waiting: u64,
    /// So many bytes at the beginning are known to be stored.
    stored: u64,
    /// The end of the piece that was read last, and how many lines it has.
    read: (u64, u64),
}

impl Book {
    /// Opens the journal and keeps other processes out of it.
    pub(super) fn open(path: &Path, most_bytes: u64) -> io::Result<Self> {
        for number in 0..MOST_PROCESSES {
            if let Some(file) = lock(&numbered(path, number))? {
                File::open(folder(path))?.sync_all()?;
                return Self::of(file, most_bytes);
            }
        }
        Err(io::Error::other("every name is taken by another process"))
    }

    /// A journal under this name that a process has left which is not there any more.
    pub(super) fn left_over(path: &Path, most_bytes: u64) -> io::Result<Option<Self>> {
        for number in 0..MOST_PROCESSES {
            let name = numbered(path, number);
            if fs::metadata(&name).is_ok_and(|found| found.len() > 0)
                && let Some(file) = lock(&name)?
            {
                return Self::of(file, most_bytes).map(Some);
            }
        }
        Ok(None)
    }

    fn of(file: File, most_bytes: u64) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let (waiting, is_whole) = lines(&file)?;
        Ok(Self {
            file,
            bytes,
            most_bytes,
            is_whole,
            waiting,
            stored: 0,
            read: (0, 0),
        })
    }

    /// How many lines are not known to be stored.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        let text = match self.is_whole {
            true => format!("{line}\n"),
            false => format!("\n{line}\n"),
        };
        let length = text.len() as u64;
        if self.bytes + length > self.most_bytes {
            return Err(io::Error::other("it is full"));
        }
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // A disk that is full took half a line: the next one must not be written behind it.
            self.take_back()?;
            return Err(error);
        }
        self.is_whole = true;
        self.bytes += length;
        self.waiting += 1;
        Ok(())
    }

    /// Puts what was appended on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The first lines that are not known to be stored.
    pub(super) fn read(&mut self) -> io::Result<Vec<String>> {
        let end = self.file.metadata()?.len();
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(self.stored))?;
        let within = PIECE.min(end.saturating_sub(self.stored));
        (&self.file).take(within).read_to_end(&mut text)?;
        if self.stored + (text.len() as u64) < end {
            // What is behind the last end of a line comes next. (No line of ours is as long as a piece.)
            let whole = text.iter().rposition(|byte| *byte == b'\n');
            text.truncate(whole.map_or(text.len(), |last| last + 1));
        }
        let reached = self.stored + text.len() as u64;
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let lines: Vec<String> = lines
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        self.read = (reached, lines.len() as u64);
        Ok(lines)
    }

    /// Whether something can be written now: a byte, which is taken back.
    pub(super) fn try_out(&mut self) -> io::Result<()> {
        let written = self.file.write_all(b"\n").and_then(|()| self.sync());
        self.take_back()?;
        written
    }

    /// Takes back what was written behind the whole lines.
    fn take_back(&mut self) -> io::Result<()> {
        let before = std::mem::replace(&mut self.is_whole, false);
        self.file.set_len(self.bytes)?;
        self.is_whole = before;
        Ok(())
    }

    /// What was read last is stored. If nothing was appended since, the file is emptied.
    pub(super) fn done(&mut self) -> io::Result<()> {
        let (reached, lines) = std::mem::take(&mut self.read);
        self.stored = self.stored.max(reached);
        self.waiting = self.waiting.saturating_sub(lines);
        if self.stored >= self.file.metadata()?.len() {
            self.file.set_len(0)?;
            // Whatever becomes of the next line: there is nothing in it.
            self.is_whole = true;
            (self.bytes, self.stored, self.waiting) = (0, 0, 0);
            self.sync()?;
        }
        Ok(())
    }
}

/// How many lines there are in the file that are not empty, and whether it ends with a whole one.
fn lines(mut file: &File) -> io::Result<(u64, bool)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut lines, mut before) = (0, b'\n');
    let mut reader = BufReader::new(file);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            let is_whole = before == b'\n';
            return Ok((lines + u64::from(!is_whole), is_whole));
        }
        for byte in bytes {
            lines += u64::from(*byte == b'\n' && before != b'\n');
            before = *byte;
        }
        let length = bytes.len();
        reader.consume(length);
    }
}

fn numbered(path: &Path, number: usize) -> OsString {
    let mut name = path.as_os_str().to_owned();
    if number > 0 {
        name.push(format!(".{number}"));
    }
    name
}

/// Whether the journal at `path` can be opened; that its disk is full now does not count.
///
/// # Errors
/// Why not.
pub fn check(path: &Path) -> io::Result<()> {
    match lock(&path.as_os_str().to_owned()) {
        Err(error) if error.kind() != io::ErrorKind::StorageFull => Err(error),
        _ => Ok(()),
    }
}

/// The file with this name, if no other process has it.
fn lock(name: &OsString) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).open(name)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
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
