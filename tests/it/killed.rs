//! A server that is killed in the middle of signups, purchases, refunds and payouts, again and again: what it
//! acknowledged is there once, and everything adds up. And a disk that loses power, or is full.

use std::io::Write as _;
use std::time::Duration;

use handbill::clock::Clock;

use crate::command_line::{handbill, json};
use crate::support::disk::Disk;
use crate::support::process::Process;
use crate::support::traffic::Traffic;
use crate::support::{Caller, Database, TestApp, number};

fn must_add_up(database: &Database) {
    let verified = handbill(&database.url, &["verify"]);
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{said}");
}

/// Different moments, the same ones in every run.
fn moment(turn: u64) -> Duration {
    Duration::from_millis(80 + turn * 37 % 300)
}

fn say(line: &str) {
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

/// A file with something in it that no process has open, and who has a key to it.
async fn a_file() -> (Database, Traffic) {
    let database = Database::sqlite();
    let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
    let key = json(&made)["key"].as_str().expect("a key").to_owned();
    let server = Process::start(&database);
    let traffic = Traffic::prepare(&Caller::new(&server.base, Some(key))).await;
    assert!(server.stop());
    (database, traffic)
}

/// Cuts the power again and again. How much was acknowledged, and what of it was lost.
async fn cut_again_and_again(disk: impl Fn(&Database) -> Disk, cuts: u64) -> (usize, Vec<String>) {
    let (database, traffic) = a_file().await;
    let disk = disk(&database);
    let (mut acknowledged, mut lost) = (0, Vec::new());
    for turn in 0..cuts {
        let server = disk.start(&database);
        traffic.flow_well(&server.base, turn, moment(turn)).await;
        server.kill();
        disk.cut();
        must_add_up(&database);
        acknowledged += traffic.acknowledged();
        let server = Process::start(&database);
        lost.extend(traffic.missing(&server.base).await);
        assert!(server.stop());
    }
    say(&format!(
        "{cuts} cuts, {acknowledged} acknowledged, {} lost",
        lost.len()
    ));
    assert!(acknowledged > 20, "{acknowledged}");
    (acknowledged, lost)
}

/// `CUTS=50` is the long run.
#[actix_web::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    let cuts = number("CUTS", 5) as u64;
    let (_, lost) = cut_again_and_again(Disk::under, cuts).await;
    assert_eq!(lost, Vec::<String>::new());
}

/// The negative control: with SQLite's `synchronous=NORMAL` the log is not synced at a commit, and the rig must see it.
#[actix_web::test]
async fn a_log_that_is_not_synced_loses_what_was_acknowledged() {
    let forgetful = |database: &Database| Disk::under(database).that_forgets("-wal");
    let (acknowledged, lost) = cut_again_and_again(forgetful, 5).await;
    assert!(
        lost.len() * 2 > acknowledged,
        "{} of {acknowledged}",
        lost.len()
    );
}

#[actix_web::test]
async fn on_a_full_disk_nothing_is_acknowledged_that_is_not_there_and_room_is_enough_to_go_on() {
    let (database, traffic) = a_file().await;
    let disk = Disk::under(&database);
    let server = disk.start(&database);
    for turn in 0..3 {
        traffic.flow(&server.base, turn, moment(turn)).await;
        let before = traffic.acknowledged();
        disk.is_full(true);
        traffic
            .flow(&server.base, 100 + turn, Duration::from_millis(500))
            .await;
        let meanwhile = traffic.acknowledged() - before;
        disk.is_full(false);
        // What was under way when the disk became full may have been stored.
        assert!(meanwhile <= 7, "{meanwhile}");
        assert_eq!(traffic.missing(&server.base).await, Vec::<String>::new());
        traffic.flow(&server.base, 200 + turn, moment(turn)).await;
        assert!(traffic.acknowledged() > 0, "it goes on without a restart");
    }
    assert_eq!(traffic.missing(&server.base).await, Vec::<String>::new());
    server.kill();
    must_add_up(&database);
}
