//! A PostgreSQL cluster of our own: made in a temporary folder, listening on a socket in that folder only, and gone
//! when it is dropped or this process ends, however it ends. A server that happens to run on the machine is never
//! used.

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The running cluster. The supervisor lives as long as the pipe to its standard input, which this process holds.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    owner: Option<u32>,
    supervisor: Option<Child>,
}

/// Starts the server with the settings that follow the two folders, once for every line that it reads, each after the end
/// of the one before. After the end of the process that started it, it stops the server and tidies up.
const SUPERVISOR: &str = r#"
trap '' INT TERM HUP
programs=$1 folder=$2 server=
shift 2
while read -r _; do
    [ -z "$server" ] || wait "$server"
    "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses='' -c log_min_messages=fatal "$@" \
        2>> "$folder/log" &
    server=$!
done
kill -INT $server
wait $server
rm -rf "$folder"
"#;

impl Cluster {
    /// Starts one with these settings; all others are PostgreSQL's own defaults.
    pub fn start(settings: &[&str]) -> Self {
        let mut cluster = Self::make(&[]);
        cluster.run(settings, &[]);
        cluster
    }

    /// A cluster that does not run yet, made with these options of `initdb` beside ours.
    pub fn make(options: &[&str]) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new()
            .prefix("handbill-pg-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let owner = owner(&folder);
        // ICU's English sorts differently from C, so a missing COLLATE "C" shows.
        let made = run_as(owner, &programs.join("initdb"))
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .args(options)
            .args(["--locale-provider=icu", "--icu-locale=en-US", "--pgdata"])
            .arg(folder.join("data"))
            .output()
            .expect("initdb");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Self {
            programs,
            folder,
            owner,
            supervisor: None,
        }
    }

    /// Starts its server with these settings, in this environment.
    pub fn run(&mut self, settings: &[&str], environment: &[(&str, &str)]) {
        let supervisor = run_as(self.owner, Path::new("/bin/sh"))
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&self.programs)
            .arg(&self.folder)
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the supervisor");
        self.supervisor = Some(supervisor);
        self.run_again();
    }

    /// Starts the server, after it ended if it ran before.
    pub fn run_again(&mut self) {
        let supervisor = self.supervisor.as_mut().and_then(|it| it.stdin.as_mut());
        let supervisor = supervisor.expect("a supervisor");
        supervisor
            .write_all(b"run\n")
            .expect("a supervisor that listens");
        wait_until_ready(&self.programs, &self.folder);
    }

    /// Where everything of it is; its files are in `data` below it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A connection URL for `database`.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        format!("postgres:///{database}?host={folder}&user=postgres")
    }
}

/// The folder of `initdb` and `postgres`: Debian keeps them off the PATH, one folder per version.
fn programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|folder| folder.join("postgres").exists())
        .collect();
    versions.sort();
    let on_path = run("sh", &["-c", "echo $PATH"]);
    let on_path = on_path
        .split(':')
        .map(PathBuf::from)
        .find(|folder| folder.join("initdb").exists());
    versions
        .pop()
        .or(on_path)
        .expect("PostgreSQL's server programs are needed; tests/run installs them")
}

/// PostgreSQL refuses to run as root; then the folder and the processes belong to somebody lesser.
fn owner(folder: &Path) -> Option<u32> {
    let is_root = run("id", &["-u"]) == "0";
    is_root.then(|| {
        let uid = run("id", &["-u", "postgres"])
            .parse()
            .or(run("id", &["-u", "nobody"]).parse());
        let uid = uid.expect("a user to run PostgreSQL as");
        chown(folder, Some(uid), None).expect("the folder's owner");
        uid
    })
}

fn run_as(owner: Option<u32>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(uid) = owner {
        command.uid(uid);
    }
    command
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect(program);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn wait_until_ready(programs: &Path, folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        let ready = Command::new(programs.join("pg_isready"))
            .args(["--quiet", "--username=postgres", "--host"])
            .arg(folder)
            .status()
            .expect("pg_isready");
        if ready.success() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("PostgreSQL did not start: {log}");
}
