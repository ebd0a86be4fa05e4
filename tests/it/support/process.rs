//! The program as a process of its own, which can be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::Database;

pub struct Process {
    pub base: String,
    process: Child,
}

impl Process {
    pub fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    /// With these settings.
    pub fn start_with(database: &Database, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .env("DATABASE_URL", &database.url)
            .env("HANDBILL_BIND", "127.0.0.1:0")
            .env("HANDBILL_RATE_LIMIT", "off")
            .env("HANDBILL_SCAN_JOURNAL", database.journal())
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server");
        let mut log = BufReader::new(process.stderr.take().expect("its log")).lines();
        let line = log
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains("reachable at "))
            .expect("a server that came up");
        // Somebody has to read the log, or the server waits for its reader.
        std::thread::spawn(move || log.for_each(drop));
        let base = line
            .split("reachable at ")
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        Self {
            base: base.expect("a URL").to_owned(),
            process,
        }
    }

    /// What it says instead of starting.
    pub fn refused(database: &Database, settings: &[(&str, &str)]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_handbill"))
            .env("DATABASE_URL", &database.url)
            .env("HANDBILL_BIND", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .output()
            .expect("the program");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Without a warning.
    pub fn kill(mut self) {
        self.process.kill().expect("a signal");
        self.process.wait().expect("an end");
    }

    /// As a service manager does. Whether it ended well.
    pub fn stop(mut self) -> bool {
        let asked = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        assert!(asked.is_ok_and(|asked| asked.success()), "a signal");
        self.process.wait().expect("an end").success()
    }
}

/// A test that fails leaves no server behind.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
