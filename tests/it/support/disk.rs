//! A disk that keeps only what was synced, and that can be full: `disk.c` between a program and the kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A folder that is a disk of its own for the programs that get its settings.
pub struct Disk {
    folder: PathBuf,
    kept: PathBuf,
    full: PathBuf,
    forgets: &'static str,
}

impl Disk {
    /// Under everything in this folder.
    pub fn under(folder: &Path) -> Self {
        let folder = folder.canonicalize().expect("a folder");
        let beside = |ending: &str| PathBuf::from(format!("{}.{ending}", folder.display()));
        Self {
            kept: beside("kept"),
            full: beside("full"),
            folder,
            forgets: "",
        }
    }

    /// The same, on which syncing files with this ending does nothing.
    pub fn that_forgets(mut self, ending: &'static str) -> Self {
        self.forgets = ending;
        self
    }

    /// Before the first program runs: nobody has anything open, and all that is there is on disk. The settings with which
    /// a program runs on this disk.
    pub fn power_on(&self) -> Vec<(&str, &str)> {
        self.power_on_with(library().to_str().expect("text"))
    }

    /// The same, for programs that can read the library at this place only.
    pub fn power_on_with<'a>(&'a self, library: &'a str) -> Vec<(&'a str, &'a str)> {
        let _ = fs::remove_dir_all(&self.kept);
        copy(&self.folder, &self.kept);
        let lock = self.lock();
        fs::write(&lock, "").expect("a lock");
        give_to_all(&lock);
        vec![
            ("LD_PRELOAD", library),
            ("RIG_DISK", self.folder.to_str().expect("text")),
            ("RIG_KEPT", self.kept.to_str().expect("text")),
            ("RIG_FORGETS", self.forgets),
            ("RIG_FULL", self.full.to_str().expect("text")),
        ]
    }

    /// Cuts the power. From this moment nothing more survives; `victims` ends the programs that run on the disk. After
    /// it only what was synced is there.
    pub fn cut(&self, victims: impl FnOnce()) {
        let survived = self.kept.with_extension("survived");
        fs::rename(&self.kept, &survived).expect("the cut");
        victims();
        for entry in fs::read_dir(&self.folder).expect("the disk").flatten() {
            let path = entry.path();
            let gone = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            gone.expect("an empty disk");
        }
        copy(&survived, &self.folder);
        fs::remove_dir_all(&survived).expect("tidied up");
    }

    /// From now on there is no room, or there is again.
    pub fn is_full(&self, full: bool) {
        match full {
            true => fs::write(&self.full, "").expect("a file"),
            false => fs::remove_file(&self.full).expect("a file"),
        }
    }

    fn lock(&self) -> PathBuf {
        format!("{}.lock", self.kept.display()).into()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.kept);
        for file in [self.lock(), self.full.clone()] {
            let _ = fs::remove_file(file);
        }
    }
}

/// With owners and modes.
fn copy(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.arg("--archive").arg("--no-target-directory");
    let copied = copy.arg(from).arg(to).status();
    assert!(copied.is_ok_and(|copied| copied.success()), "a copy");
}

/// The programs may belong to somebody lesser than these tests.
fn give_to_all(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o666)).expect("a mode");
}

/// The library, compiled once.
pub fn library() -> &'static Path {
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
