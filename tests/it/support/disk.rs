//! A disk that keeps only what was synced, and that can be full: `disk.c` between a server and the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Database;
use super::process::Process;

pub struct Disk {
    file: PathBuf,
    full: PathBuf,
    forgets: &'static str,
}

impl Disk {
    /// Under a SQLite file.
    pub fn under(database: &Database) -> Self {
        let file = PathBuf::from(database.url.trim_start_matches("sqlite://"));
        Self {
            full: file.with_extension("full"),
            file,
            forgets: "",
        }
    }

    /// The same, on which syncing files with this ending does nothing.
    pub fn that_forgets(mut self, ending: &'static str) -> Self {
        self.forgets = ending;
        self
    }

    /// Starts a server on this disk; nobody else has the file open, and all that is in it is on disk.
    pub fn start(&self, database: &Database) -> Process {
        for name in self.files() {
            let _ = fs::remove_file(durable(&name));
            if name.exists() {
                fs::copy(&name, durable(&name)).expect("a copy");
            }
        }
        let settings = [
            ("LD_PRELOAD", library().to_str().expect("text")),
            ("RIG_FORGETS", self.forgets),
            ("RIG_FULL", self.full.to_str().expect("text")),
        ];
        Process::start_with(database, &settings)
    }

    /// After the server was killed: only what was synced is there.
    pub fn cut(&self) {
        for name in self.files() {
            let _ = fs::remove_file(&name);
            if durable(&name).exists() {
                fs::copy(durable(&name), &name).expect("a copy");
            }
        }
        let shared = format!("{}-shm", self.file.display());
        let _ = fs::remove_file(shared);
    }

    /// From now on there is no room, or there is again.
    pub fn is_full(&self, full: bool) {
        match full {
            true => fs::write(&self.full, "").expect("a file"),
            false => fs::remove_file(&self.full).expect("a file"),
        }
    }

    fn files(&self) -> [PathBuf; 2] {
        let log = format!("{}-wal", self.file.display());
        [self.file.clone(), log.into()]
    }
}

fn durable(name: &Path) -> PathBuf {
    format!("{}.durable", name.display()).into()
}

/// The library, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/disk.c");
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]);
        let made = command.arg(&library).arg(source).status();
        assert!(
            made.is_ok_and(|made| made.success()),
            "a C compiler is needed"
        );
        library
    })
}
