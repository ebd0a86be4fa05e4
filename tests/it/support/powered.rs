//! A PostgreSQL cluster on a disk that keeps only what was synced: its files and its write-ahead log. The power can be cut
//! under it, and it recovers from what is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::Database;
use super::disk::{Disk, library};
use super::postgres::Cluster;

/// Small files of the log, and few of them: a cut meets checkpoints and files that are used again.
const SETTINGS: [&str; 5] = [
    "wal_sync_method=fdatasync",
    "max_wal_size=2MB",
    "min_wal_size=2MB",
    "checkpoint_timeout=30s",
    "shared_buffers=32MB",
];

pub struct Powered {
    cluster: Cluster,
    disk: Disk,
    data: PathBuf,
}

impl Powered {
    /// Starts one with these settings beside ours; all others are PostgreSQL's own defaults.
    pub fn start(settings: &[&str]) -> Self {
        let mut cluster = Cluster::make(&["--wal-segsize=1"]);
        let data = cluster.folder().join("data");
        let disk = Disk::under(&data);
        // Who runs PostgreSQL may not be able to read what we built.
        let ours = cluster.folder().join("disk.so");
        fs::copy(library(), &ours).expect("a copy");
        let settings = [&SETTINGS, settings].concat();
        cluster.run(&settings, &disk.power_on_with(ours.to_str().expect("text")));
        Self {
            cluster,
            disk,
            data,
        }
    }

    /// A migrated database in it.
    pub fn database(&self) -> Database {
        Database::migrated(self.cluster.url("postgres"))
    }

    /// Takes care that everything of before is on disk, whatever the settings are worth.
    pub fn settle(&mut self) {
        let lock = fs::read_to_string(self.data.join("postmaster.pid")).expect("a server");
        let server = lock.lines().next().expect("its id").to_owned();
        signal("-INT", &[server]);
        self.wait_until_nobody_is_left(|_| {});
        self.power_on();
    }

    /// Cuts the power, of `others` too.
    pub fn cut(&mut self, others: impl FnOnce()) {
        self.disk.cut(|| {
            others();
            self.wait_until_nobody_is_left(|left| signal("-KILL", left));
        });
    }

    /// The power is back: the server recovers.
    pub fn power_on(&mut self) {
        self.disk.power_on();
        self.cluster.run_again();
    }

    /// The server, and all that it has started, work in its folder.
    fn wait_until_nobody_is_left(&self, tell: impl Fn(&[String])) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let left = who_works_in(&self.data);
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "{left:?} stay");
            tell(&left);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn who_works_in(folder: &Path) -> Vec<String> {
    let everybody = fs::read_dir("/proc").expect("the processes").flatten();
    everybody
        .filter(|one| fs::read_link(one.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .filter_map(|one| one.file_name().into_string().ok())
        .collect()
}

fn signal(name: &str, processes: &[String]) {
    // Some may have ended meanwhile.
    let told = Command::new("kill").arg(name).args(processes).output();
    told.expect("a signal");
}
