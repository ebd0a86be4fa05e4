//! A disk that loses power in the middle of signups, purchases, refunds and payouts, again and again, or that is full:
//! what was acknowledged is there once, and everything adds up.

use std::time::Duration;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;

use crate::command_line::{handbill, json};
use crate::killed::{moment, must_add_up, say};
use crate::support::disk::Disk;
use crate::support::powered::Powered;
use crate::support::process::Process;
use crate::support::traffic::Traffic;
use crate::support::{Caller, Database, number};

/// What the power is cut under.
pub trait Machine {
    fn database(&self) -> &Database;

    /// A server, all that is stored so far being on disk.
    fn start(&mut self) -> Process;

    /// Cuts the power. The database works again afterwards.
    fn cut(&mut self, server: Process);
}

/// A server and its file on one disk.
pub struct WithFile {
    pub database: Database,
    pub disk: Disk,
}

impl Machine for WithFile {
    fn database(&self) -> &Database {
        &self.database
    }

    fn start(&mut self) -> Process {
        Process::start_with(&self.database, &self.disk.power_on())
    }

    fn cut(&mut self, server: Process) {
        self.disk.cut(|| server.kill());
    }
}

/// A server, and a cluster on a disk.
pub struct WithCluster {
    pub database: Database,
    pub cluster: Powered,
}

impl Machine for WithCluster {
    fn database(&self) -> &Database {
        &self.database
    }

    fn start(&mut self) -> Process {
        Process::start(&self.database)
    }

    fn cut(&mut self, server: Process) {
        self.cluster.cut(|| server.kill());
        self.cluster.power_on();
    }
}

/// Somebody with a key to a database that has nothing in it yet.
async fn somebody(database: &Database) -> Traffic {
    let made = handbill(&database.url, &["keys", "create", "--name", "A", "--json"]);
    let key = json(&made)["key"].as_str().expect("a key").to_owned();
    let server = Process::start(database);
    let traffic = Traffic::prepare(&Caller::new(&server.base, Some(key))).await;
    assert!(server.stop());
    traffic
}

async fn a_file() -> (WithFile, Traffic) {
    let database = Database::sqlite();
    let disk = Disk::under(database.folder());
    let traffic = somebody(&database).await;
    (WithFile { database, disk }, traffic)
}

async fn a_cluster(settings: &[&str]) -> (WithCluster, Traffic) {
    let mut cluster = Powered::start(settings);
    let database = cluster.database();
    let traffic = somebody(&database).await;
    cluster.settle();
    (WithCluster { database, cluster }, traffic)
}

/// How many rows are there beyond one per key, by the tables themselves: an index that was damaged would hide them.
fn twice(database: &Database) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let mut conn = database.connect();
    if !database.is_sqlite() {
        let without = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off";
        conn.batch_execute(without).expect("settings");
    }
    let keys = [
        ("referrals", "idempotency_key"),
        ("refunds", "idempotency_key"),
        ("conversions", "order_id"),
    ];
    let beyond = keys.map(|(table, key)| {
        let query = format!("SELECT count({key}) - count(DISTINCT {key}) AS rows FROM {table}");
        let count: Count = diesel::sql_query(query)
            .get_result(&mut conn)
            .expect("a count");
        count.rows
    });
    beyond.iter().sum()
}

/// Cuts the power again and again. How much was acknowledged, and what of it was lost.
async fn cut_again_and_again(
    (mut machine, traffic): (impl Machine, Traffic),
    cuts: u64,
) -> (usize, Vec<String>) {
    let (mut acknowledged, mut lost) = (0, Vec::new());
    for turn in 0..cuts {
        let server = machine.start();
        traffic.flow_well(&server.base, turn, moment(turn)).await;
        machine.cut(server);
        must_add_up(machine.database());
        assert_eq!(twice(machine.database()), 0);
        acknowledged += traffic.acknowledged();
        let server = Process::start(machine.database());
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
    let (_, lost) = cut_again_and_again(a_file().await, cuts).await;
    assert_eq!(lost, Vec::<String>::new());
}

/// The same for PostgreSQL.
#[actix_web::test]
async fn what_was_acknowledged_survives_a_power_cut_of_postgresql() {
    let cuts = number("CUTS", 5) as u64;
    let (_, lost) = cut_again_and_again(a_cluster(&[]).await, cuts).await;
    assert_eq!(lost, Vec::<String>::new());
}

fn most_is_lost((acknowledged, lost): (usize, Vec<String>)) {
    let lost = lost.len();
    assert!(lost * 2 > acknowledged, "{lost} of {acknowledged}");
}

/// The negative control: with SQLite's `synchronous=NORMAL` the log is not synced at a commit, and the rig must see it.
#[actix_web::test]
async fn a_log_that_is_not_synced_loses_what_was_acknowledged() {
    let (mut machine, traffic) = a_file().await;
    machine.disk = machine.disk.that_forgets("-wal");
    most_is_lost(cut_again_and_again((machine, traffic), 5).await);
}

/// The same for PostgreSQL, which can be told not to sync at all, whatever our connections ask for.
#[actix_web::test]
async fn a_cluster_that_does_not_sync_loses_what_was_acknowledged() {
    let machine = a_cluster(&["fsync=off"]).await;
    most_is_lost(cut_again_and_again(machine, 3).await);
}

#[actix_web::test]
async fn on_a_full_disk_nothing_is_acknowledged_that_is_not_there_and_room_is_enough_to_go_on() {
    let (mut machine, traffic) = a_file().await;
    let server = machine.start();
    for turn in 0..3 {
        traffic.flow_well(&server.base, turn, moment(turn)).await;
        let before = traffic.acknowledged();
        machine.disk.is_full(true);
        traffic
            .flow(&server.base, 100 + turn, Duration::from_millis(500))
            .await;
        let meanwhile = traffic.acknowledged() - before;
        machine.disk.is_full(false);
        // What was under way when the disk became full may have been stored.
        assert!(meanwhile <= 7, "{meanwhile}");
        assert_eq!(traffic.missing(&server.base).await, Vec::<String>::new());
        let before = traffic.acknowledged();
        traffic
            .flow_well(&server.base, 200 + turn, moment(turn))
            .await;
        assert!(
            traffic.acknowledged() > before,
            "it goes on without a restart"
        );
    }
    assert_eq!(traffic.missing(&server.base).await, Vec::<String>::new());
    server.kill();
    must_add_up(&machine.database);
}
