//! A server that is killed in the middle of signups, purchases, refunds and payouts, again and again: what it
//! acknowledged is there once, and everything adds up.

use std::io::Write as _;
use std::time::Duration;

use handbill::clock::Clock;

use crate::command_line::handbill;
use crate::support::process::Process;
use crate::support::traffic::Traffic;
use crate::support::{Database, TestApp, number};

pub fn must_add_up(database: &Database) {
    let verified = handbill(&database.url, &["verify"]);
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{said}");
}

/// Different moments, the same ones in every run.
pub fn moment(turn: u64) -> Duration {
    Duration::from_millis(80 + turn * 37 % 300)
}

pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// `KILLS=100` is the long run.
#[actix_web::test]
async fn what_a_killed_server_acknowledged_is_there_once_and_adds_up() {
    for database in [Database::sqlite(), Database::postgres()] {
        let app = TestApp::start_at(database, &[], Clock::System).await;
        let traffic = Traffic::prepare(&app.caller).await;
        let (mut acknowledged, kills) = (0, number("KILLS", 10) as u64);
        for turn in 0..kills {
            let server = Process::start(&app.database);
            traffic.flow_well(&server.base, turn, moment(turn)).await;
            server.kill();
            must_add_up(&app.database);
            let server = Process::start(&app.database);
            acknowledged += traffic.acknowledged();
            assert_eq!(traffic.missing(&server.base).await, Vec::<String>::new());
            server.kill();
        }
        say(&format!(
            "{kills} kills, {acknowledged} acknowledged, 0 missing"
        ));
        assert!(acknowledged > 50, "{acknowledged}");
        app.stop().await;
    }
}
